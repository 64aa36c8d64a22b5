//! A participant in a room: its session, its camera, and everybody's pictures.

use std::{future, io, pin::pin, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use visita_media::{
    clock,
    publish::Limits,
    receive,
    source::{self, Choice},
};
use visita_protocol::{
    control::{ChatLine, ClientMessage, Member, RelayMessage, Role, RoomChoice, RoomInfo, Watch},
    error::Code,
    id::MemberId,
    media::{Codec, Size},
    name::{ChatText, PersonName},
};

use crate::{
    address::HostUrl,
    error::Error,
    pictures::Pictures,
    report::Report,
    session,
    trace::{Stamp, Step, Trace},
};

mod incoming;
mod outgoing;
mod sights;
mod tally;
mod task;

use incoming::Incoming;
use outgoing::Outgoing;
use task::Task;

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
    /// Whether what comes is decoded; without, it is only counted.
    pub decode: bool,
    /// Where stamps go, if anybody measures.
    pub trace: Option<Trace>,
}

impl Options {
    /// Everybody at full size, camera on, all that this machine decodes.
    pub fn new(room: RoomChoice, name: PersonName, role: Role, video: Choice) -> Self {
        Self {
            room,
            name,
            role,
            decodes: receive::DECODES.to_vec(),
            watch: Watch {
                others: Some(FULL_SIZE),
                views: Vec::new(),
            },
            video,
            limits: Limits::default(),
            camera_on: true,
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
    let (outgoing, locals) = Outgoing::start(&options, pictures.clone()).map_err(Error::Threads)?;
    session.trace.clone_from(&options.trace);
    let (session, mut events, url) = tokio::select! {
        opened = session::open(session) => opened?,
        () = &mut stop => return Ok(None),
    };
    outgoing.connect(session.clone());
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
    let incoming = Incoming::new(&options, session.clone(), pictures, start, you, &members);
    tokio::spawn(
        Task {
            session,
            events,
            commands: queue,
            locals,
            out,
            incoming,
            outgoing,
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
