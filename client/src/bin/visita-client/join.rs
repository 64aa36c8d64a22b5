//! `visita-client join`.

use std::{future, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Interval, interval, sleep},
};
use visita_client::{
    Error,
    call::{self, Camera, Event, Microphone, Options, Speaker},
    session,
};
use visita_media::{publish::Limits, source::Choice};
use visita_protocol::{
    control::{RelayMessage, Role, RoomChoice, RoomKind, Watch},
    media::Size,
};

use crate::{
    args::{Join, WatchArg},
    exit::Failure,
    host::Host,
    print,
    stamps::Stamps,
};

/// A source that was chosen by hand is sent as it is, up to this.
const CHOSEN: Limits = Limits {
    h264: Size::new(1920, 1080),
    h264_fps: 60,
    jpeg: Size::new(480, 270),
    jpeg_fps: 12,
};

pub(crate) async fn run(args: Join) -> Result<(), Failure> {
    let mut signals = Signals::new().map_err(Failure::Signals)?;
    let stamps = args.stamps.then(Stamps::default);
    match enter(&args, stamps.as_ref(), &mut signals).await? {
        Some((call, events)) => attend(args, stamps, call, events, signals).await,
        None => Ok(()),
    }
}

/// Enters the room, unless a signal comes first.
async fn enter(
    args: &Join,
    stamps: Option<&Stamps>,
    signals: &mut Signals,
) -> Result<Option<(call::Call, mpsc::Receiver<Event>)>, Failure> {
    let host = if let Some(url) = &args.host {
        Host::at(url.clone(), args.fingerprint, args.state.clone())?
    } else {
        tokio::select! {
            host = Host::discovered(args.state.clone()) => host?,
            () = signals.next() => return Ok(None),
        }
    };
    let mut session = session::Options::new(host.urls.clone(), host.tls.clone());
    session.patient = true;
    session.carrier = args.carrier.into();
    if let Some(within) = args.resume_within {
        session.resume_within = within;
    }
    let mut options = options(args);
    options.trace = stamps.map(Stamps::trace);
    let entered = call::join_unless(session, options, signals.next()).await;
    let answered = entered.as_ref().ok().and_then(Option::as_ref);
    host.remember(answered.map(|(_, _, joined)| &joined.url))?;
    let Some((call, events, joined)) = entered.map_err(Failure::Begin)? else {
        return Ok(None);
    };
    tracing::info!(room = %joined.room.id, you = %joined.you, members = joined.members.len(), "in the room");
    Ok(Some((call, events)))
}

fn options(args: &Join) -> Options {
    let role = Role::from(args.role);
    let kind = if role == Role::Bedside {
        RoomKind::Bed
    } else {
        RoomKind::Meeting
    };
    let room = RoomChoice::Name {
        name: args.room.clone(),
        create: args.create.then_some(kind),
    };
    let mut options = Options::new(room, args.name.clone(), role, args.video.clone());
    if matches!(args.video, Choice::Synthetic(_) | Choice::File(_)) {
        options.limits = CHOSEN;
    }
    if let Some(decodes) = &args.decodes {
        options.decodes.clone_from(decodes);
    }
    if let Some(WatchArg(size)) = args.watch {
        options.watch = Watch {
            others: size,
            views: Vec::new(),
        };
    }
    options.decode = !args.no_decode;
    options.audio.clone_from(&args.audio);
    options.process = args.processes();
    options.play.clone_from(&args.play_audio);
    options
}

async fn attend(
    args: Join,
    stamps: Option<Stamps>,
    call: call::Call,
    mut events: mpsc::Receiver<Event>,
    mut signals: Signals,
) -> Result<(), Failure> {
    let mut over = Box::pin(async {
        match args.duration {
            Some(duration) => sleep(duration).await,
            None => future::pending().await,
        }
    });
    let mut leaving = false;
    let mut every = args.report_every.map(interval);
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = next(every.as_mut()), if !leaving => {
                if let Ok(report) = call.report().await {
                    print(&report)?;
                }
                continue;
            }
            () = signals.next(), if !leaving => {
                leaving = true;
                call.leave();
                continue;
            }
            () = &mut over, if !leaving => {
                leaving = true;
                call.leave();
                continue;
            }
        };
        match event {
            Some(Event::Ended { report, error }) => {
                if let Some(stamps) = &stamps {
                    stamps.print()?;
                }
                if args.report.is_some() {
                    print(&report)?;
                }
                return error.map_or(Ok(()), |error| Err(Failure::During(error)));
            }
            Some(event) => log(&event),
            None => {
                return Err(Failure::During(Error::NotResumed {
                    after: Duration::ZERO,
                }));
            }
        }
    }
}

/// When the next report is due, if there are reports on the way.
async fn next(every: Option<&mut Interval>) {
    match every {
        Some(every) => {
            every.tick().await;
        }
        None => future::pending().await,
    }
}

/// What happens, without names and without what was written.
fn log(event: &Event) {
    match event {
        Event::Relay(RelayMessage::MemberJoined { member }) => {
            tracing::info!(member = %member.id, "joined");
        }
        Event::Relay(RelayMessage::MemberLeft { member, reason }) => {
            tracing::info!(%member, ?reason, "left");
        }
        Event::Relay(RelayMessage::Error { code, .. }) => {
            tracing::warn!(%code, "the host refused something");
        }
        Event::Relay(RelayMessage::Line { carries }) => {
            tracing::info!(?carries, "what the line carries of the others changed");
        }
        Event::Uplink(carries) => {
            tracing::info!(?carries, "what the line carries of what is sent changed");
        }
        Event::Relay(RelayMessage::Closing) => tracing::info!("the host is ending its service"),
        Event::Relay(_) | Event::Levels(_) | Event::Ended { .. } => {}
        Event::Reconnecting => tracing::info!("reconnecting"),
        Event::Reconnected => tracing::info!("reconnected"),
        Event::Camera(Camera::Failed(error)) => tracing::warn!(%error, "no picture is sent"),
        Event::Camera(_) => tracing::debug!("the camera changed"),
        Event::Microphone(Microphone::Failed(error)) => {
            tracing::warn!(%error, "no sound is sent");
        }
        Event::Microphone(_) | Event::Source { .. } => tracing::debug!("the microphone changed"),
        Event::Speaker(Speaker::Failed(error)) => tracing::warn!(%error, "nobody is heard"),
        Event::Speaker(_) => tracing::debug!("the loudspeaker changed"),
        Event::Way(way) => tracing::info!(?way, "media goes another way"),
        Event::Unseen(member) => tracing::warn!(%member, "a picture comes and can't be decoded"),
    }
}

/// What asks the program to end.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(not(unix))]
    #[allow(clippy::unnecessary_wraps)]
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        // Without a handler the system ends the program itself.
        if tokio::signal::ctrl_c().await.is_err() {
            future::pending::<()>().await;
        }
    }
}
