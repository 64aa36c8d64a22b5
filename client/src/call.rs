//! A participant in a room: its session, its camera and microphone, and everybody's pictures and
//! sound.

use std::{future, io, pin::pin, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use visita_media::{
    clock,
    publish::Limits,
    receive,
    sound::{self, BLOCK, listen::Output},
    source::{self, Choice},
};
use visita_protocol::{
    control::{
        Carries, ChatLine, ClientMessage, Member, RelayMessage, Role, RoomChoice, RoomInfo, Watch,
    },
    error::Code,
    id::MemberId,
    media::{Codec, Size},
    name::{ChatText, PersonName},
    way::Way,
};

use crate::{
    address::HostUrl,
    error::Error,
    pictures::Pictures,
    report::{self, Report},
    session,
    trace::{Stamp, Step, Trace},
};

mod ears;
mod incoming;
mod lips;
mod lost;
mod outgoing;
mod showing;
mod sights;
mod tally;
mod task;
mod voice;

use ears::Ears;
use incoming::Incoming;
use outgoing::{LOCALS, Local, Outgoing};
use task::Task;
use voice::Voice;

/// How long a host may take to answer a join.
const JOIN_WITHIN: Duration = Duration::from_secs(5);

/// How many events wait for the embedder. One that leaves a thousand unread has stopped, and its
/// call ends.
const EVENTS: usize = 1024;

/// How many commands wait; they are handled at once.
const COMMANDS: usize = 64;

/// The largest picture that is asked for when nobody says otherwise, per side: whatever is sent.
pub const FULL_SIZE: Size = Size::new(
    visita_media::picture::MAX_SIDE,
    visita_media::picture::MAX_SIDE,
);

/// How to take part.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which room.
    pub room: RoomChoice,
    /// What the person is called.
    pub name: PersonName,
    /// Who the person is.
    pub role: Role,
    /// Which codecs are asked for.
    pub decodes: Vec<Codec>,
    /// What is shown, from the start.
    pub watch: Watch,
    /// Where one's own pictures come from.
    pub video: Choice,
    /// The most that is sent.
    pub limits: Limits,
    /// Whether the camera is on from the start.
    pub camera_on: bool,
    /// Where one's own sound comes from.
    pub audio: sound::source::Choice,
    /// Whether echo is cancelled, noise suppressed and gain controlled.
    pub process: bool,
    /// Whether the microphone is muted from the start.
    pub muted: bool,
    /// Where everybody's sound is played.
    pub play: Output,
    /// Whether what comes is decoded; without, it is only counted.
    pub decode: bool,
    /// Where stamps go, if anybody measures.
    pub trace: Option<Trace>,
}

impl Options {
    /// Everybody at full size, camera on, all that this machine decodes; no sound of one's own, and
    /// nothing is played.
    pub fn new(room: RoomChoice, name: PersonName, role: Role, video: Choice) -> Self {
        Self {
            room,
            name,
            role,
            decodes: [receive::DECODES, &[Codec::Opus]].concat(),
            watch: Watch {
                others: Some(FULL_SIZE),
                views: Vec::new(),
            },
            video,
            limits: Limits::default(),
            camera_on: true,
            audio: sound::source::Choice::None,
            process: true,
            muted: false,
            play: Output::None,
            decode: true,
            trace: None,
        }
    }
}

/// What the room was when it was entered.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The host's address that answered.
    pub url: HostUrl,
    /// The room.
    pub room: RoomInfo,
    /// Oneself.
    pub you: MemberId,
    /// Everybody, oneself included.
    pub members: Vec<Member>,
    /// The last lines of chat.
    pub chat: Vec<ChatLine>,
}

/// One's own camera.
#[derive(Clone, Debug, PartialEq)]
pub enum Camera {
    /// Switched off.
    Off,
    /// Being opened.
    Starting,
    /// Pictures come.
    On {
        /// What it is called.
        name: String,
        /// Its pictures' size.
        size: Size,
    },
    /// No pictures come; what may pass is tried again by itself.
    Failed(source::Error),
}

/// One's own microphone.
#[derive(Clone, Debug, PartialEq)]
pub enum Microphone {
    /// There is none.
    Off,
    /// Being opened.
    Starting,
    /// Sound comes, and everybody can hear it.
    On {
        /// What it is called.
        name: String,
    },
    /// Nobody hears it.
    Muted,
    /// No sound comes; what may pass is tried again by itself, and the call goes on without.
    Failed(sound::Error),
}

/// Where everybody is heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Speaker {
    /// From there.
    On {
        /// What it is called.
        name: String,
    },
    /// Nobody is heard; what may pass is tried again by itself.
    Failed(sound::Error),
}

/// How loud everybody is, in decibels below full scale: 0 loudest, −127 silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    /// One's own microphone; `None` while no sound comes from it.
    pub own: Option<f32>,
    /// Somebody speaks into a muted microphone.
    pub talking_while_muted: bool,
    /// Those who are heard.
    pub members: Vec<(MemberId, f32)>,
}

/// What happens in a call.
#[derive(Debug)]
pub enum Event {
    /// The host said something that concerns people: members, chat, errors, its own end.
    Relay(RelayMessage),
    /// The connection broke and is being resumed.
    Reconnecting,
    /// It was resumed; nothing was lost but pictures.
    Reconnected,
    /// One's own camera changed.
    Camera(Camera),
    /// One's own microphone changed.
    Microphone(Microphone),
    /// Sound is taken from this microphone from now on, muted or not.
    Source {
        /// What it is called.
        name: String,
    },
    /// The loudspeaker changed.
    Speaker(Speaker),
    /// How loud it is, ten times a second while there is sound.
    Levels(Levels),
    /// What the line carries of what is sent: where it is sound alone, one's own picture isn't sent
    /// until it passes again, which is tried.
    Uplink(Carries),
    /// Media goes this way from now on.
    Way(Way),
    /// A member's picture comes and can't be shown here; once one is painted, it can again.
    Unseen(MemberId),
    /// The call is over. Nothing follows.
    Ended {
        /// What was measured.
        report: Report,
        /// Why; `None`: it was left from this side.
        error: Option<Error>,
    },
}

/// Commands of a call. A clone commands the same one; the call is left when the last is dropped.
#[derive(Clone)]
pub struct Call {
    session: session::Handle,
    commands: mpsc::Sender<Command>,
    pictures: Pictures,
}

enum Command {
    Watch(Watch),
    Camera(bool),
    Source(Choice),
    Mute(bool, oneshot::Sender<()>),
    Audio(sound::source::Choice),
    Process(bool),
    Play(Output),
    Volume(MemberId, f32),
    Sound(Vec<[f32; BLOCK]>),
    Report(oneshot::Sender<Report>),
}

/// The call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call is over")]
pub struct Over;

/// Connects to the host and enters the room. The camera is opened meanwhile.
pub async fn join(
    session: session::Options,
    options: Options,
) -> Result<(Call, mpsc::Receiver<Event>, Joined), Error> {
    let entered = join_unless(session, options, future::pending()).await?;
    entered.ok_or_else(|| Error::Protocol("no answer to the join".into()))
}

/// The same, unless `stop` comes first. Then what was begun is ended in order, so that nobody is
/// waited for who never came, and there is no call.
pub async fn join_unless(
    mut session: session::Options,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<Option<(Call, mpsc::Receiver<Event>, Joined)>, Error> {
    let mut stop = pin!(stop);
    let start = clock::now();
    let pictures = Pictures::default();
    let (told, locals) = mpsc::channel(LOCALS);
    let outgoing = Outgoing::start(&options, pictures.clone(), told.clone());
    let outgoing = outgoing.map_err(Error::Threads)?;
    let ears = {
        let told = told.clone();
        Ears::new(options.play.clone(), move |event| {
            if told.try_send(Local::Speaker(event)).is_err() {
                tracing::debug!("nobody takes the loudspeaker's events");
            }
        })
    };
    let voice = Voice::start(&options, ears.played(), told).map_err(Error::Threads)?;
    session.trace.clone_from(&options.trace);
    session.sent = outgoing.by_rtp().chain([Voice::by_rtp()]).collect();
    let (session, mut events, url) = tokio::select! {
        opened = session::open(session) => opened?,
        () = &mut stop => return Ok(None),
    };
    outgoing.connect(session.clone());
    voice.connect(session.clone());
    session.say(ClientMessage::Join {
        room: options.room.clone(),
        name: options.name.clone(),
        role: options.role,
        decodes: options.decodes.clone(),
        watch: options.watch.clone(),
        clock: clock::id(),
    })?;
    let unanswered = |_| Error::Unreachable {
        url: url.clone(),
        source: io::ErrorKind::TimedOut.into(),
    };
    let answer = tokio::select! {
        answer = timeout(JOIN_WITHIN, admitted(&mut events)) => {
            Some(answer.map_err(unanswered).and_then(|answer| answer))
        }
        () = &mut stop => None,
    };
    let joined = match answer {
        Some(Ok(joined)) => joined,
        none => {
            session.close();
            while events.recv().await.is_some() {}
            return none.transpose().map(|_| None);
        }
    };
    let RelayMessage::Joined {
        room,
        you,
        members,
        chat,
    } = joined
    else {
        return Err(Error::Protocol("no answer to the join".into()));
    };
    if let Some(trace) = &options.trace {
        trace.stamp(Stamp::Step(Step::Joined));
    }
    let (out, receiver) = mpsc::channel(EVENTS);
    let (commands, queue) = mpsc::channel(COMMANDS);
    let call = Call {
        session: session.clone(),
        commands,
        pictures: pictures.clone(),
    };
    let incoming = Incoming::new(
        &options,
        session.clone(),
        pictures,
        ears,
        start,
        you,
        &members,
    );
    tokio::spawn(
        Task {
            session,
            events,
            commands: queue,
            locals,
            out,
            incoming,
            outgoing,
            voice,
            ways: report::Ways::default(),
            announced: Vec::new(),
            carries: Carries::Pictures,
            wanted: Vec::new(),
        }
        .run(),
    );
    let joined = Joined {
        url,
        room,
        you,
        members,
        chat,
    };
    Ok(Some((call, receiver, joined)))
}

/// The answer to a join. Nothing else of interest is said before it.
async fn admitted(events: &mut mpsc::Receiver<session::Event>) -> Result<RelayMessage, Error> {
    while let Some(event) = events.recv().await {
        match event {
            session::Event::Message(joined @ RelayMessage::Joined { .. }) => return Ok(joined),
            session::Event::Message(RelayMessage::Error { code, .. }) => {
                return Err(Error::Refused(code));
            }
            session::Event::Message(RelayMessage::Closing) => {
                return Err(Error::Refused(Code::ShuttingDown));
            }
            session::Event::Ended(Some(error)) => return Err(error),
            _ => {}
        }
    }
    Err(Error::Protocol("no answer to the join".into()))
}

impl Call {
    /// Writes to everybody in the room. It arrives once, also over a broken connection.
    pub fn chat(&self, text: ChatText) -> Result<(), Error> {
        self.session.say(ClientMessage::Chat { text }).map(drop)
    }

    /// Asks for six digits that lead into the room. They come as [`Event::Relay`].
    pub fn make_code(&self) -> Result<(), Error> {
        self.session.say(ClientMessage::MakeCode).map(drop)
    }

    /// Shows these members from now on, at these sizes.
    pub async fn watch(&self, watch: Watch) -> Result<(), Over> {
        self.command(Command::Watch(watch)).await
    }

    /// Switches the camera on or off; the others see which.
    pub async fn camera(&self, on: bool) -> Result<(), Over> {
        self.command(Command::Camera(on)).await
    }

    /// Takes pictures from somewhere else, now if the camera is on, else when it is switched on.
    pub async fn source(&self, choice: Choice) -> Result<(), Over> {
        self.command(Command::Source(choice)).await
    }

    /// Mutes the microphone, or lets it be heard again; the others see which. When this returns,
    /// nothing that is captured while it is muted can leave.
    pub async fn mute(&self, muted: bool) -> Result<(), Over> {
        let (sender, receiver) = oneshot::channel();
        self.command(Command::Mute(muted, sender)).await?;
        receiver.await.map_err(|_| Over)
    }

    /// Takes sound from somewhere else.
    pub async fn audio(&self, choice: sound::source::Choice) -> Result<(), Over> {
        self.command(Command::Audio(choice)).await
    }

    /// Switches echo cancelling, noise suppression and gain control on or off.
    pub async fn process(&self, process: bool) -> Result<(), Over> {
        self.command(Command::Process(process)).await
    }

    /// Plays everybody's sound elsewhere.
    pub async fn play(&self, output: Output) -> Result<(), Over> {
        self.command(Command::Play(output)).await
    }

    /// How loud a member is heard from now on: 0 not at all, 1 as sent.
    pub async fn volume(&self, member: MemberId, volume: f32) -> Result<(), Over> {
        self.command(Command::Volume(member, volume)).await
    }

    /// Plays a sound of this device's own once, where everybody is heard and so that echo cancelling
    /// knows of it.
    pub async fn sound(&self, blocks: Vec<[f32; BLOCK]>) -> Result<(), Over> {
        self.command(Command::Sound(blocks)).await
    }

    /// What was measured so far.
    pub async fn report(&self) -> Result<Report, Over> {
        let (sender, receiver) = oneshot::channel();
        self.command(Command::Report(sender)).await?;
        receiver.await.map_err(|_| Over)
    }

    /// The newest pictures of everybody, oneself included.
    pub fn pictures(&self) -> Pictures {
        self.pictures.clone()
    }

    /// Leaves. [`Event::Ended`] follows.
    pub fn leave(&self) {
        self.session.close();
    }

    async fn command(&self, command: Command) -> Result<(), Over> {
        self.commands.send(command).await.map_err(|_| Over)
    }
}
