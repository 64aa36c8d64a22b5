//! The call that the page is in: the client's events become the page's, its pictures go to the
//! frames' board, and what the page shows is told to the relay.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use visita_client::{
    Error,
    call::{self, Call, Camera, Event, Over},
    pictures::{Pictures, Whose},
};
use visita_media::source::{self, Choice};
use visita_protocol::{
    control::{RelayMessage, Role, RoomChoice, RoomKind, View, Watch},
    error::Code,
    id::{MemberId, RoomId},
    media::{Kind, Size},
    name::{ChatText, PersonName, RoomName},
};

use crate::{
    frames::{Board, SELF, Shown},
    relay::InUse,
    way,
};

/// What is asked for until the page has laid out its tiles, so that the first pictures don't wait
/// for that.
const FIRST: Size = Size::new(640, 360);

/// The least time between two reports of what is shown. Dragging a window's edge changes the
/// tiles at each frame; the encoders shouldn't follow that.
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// How the page asks to take part. The names are parsed here, so that what is wrong with them is
/// told as a code.
#[derive(Debug, Deserialize)]
pub struct Wish {
    room: RoomWish,
    name: String,
    role: Role,
    camera: bool,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
enum RoomWish {
    Id {
        id: RoomId,
    },
    Name {
        name: String,
        #[serde(default)]
        create: Option<RoomKind>,
    },
}

impl Wish {
    fn options(self, video: Choice) -> Result<call::Options, Code> {
        let room = match self.room {
            RoomWish::Id { id } => RoomChoice::Id { id },
            RoomWish::Name { name, create } => RoomChoice::Name {
                name: RoomName::new(&name)?,
                create,
            },
        };
        let mut options = call::Options::new(room, PersonName::new(&self.name)?, self.role, video);
        options.watch = Watch {
            others: Some(FIRST),
            views: Vec::new(),
        };
        options.camera_on = self.camera;
        options.trace = way::trace();
        Ok(options)
    }
}

/// What happens in a call, as the page takes it.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CallEvent {
    /// The relay said something.
    Relay {
        /// What.
        message: RelayMessage,
    },
    /// The connection to the relay changed.
    Connection {
        /// How it is.
        state: ConnectionState,
        /// Why it ended, unless it was left.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<EndCode>,
    },
    /// The own camera changed.
    Camera {
        /// How it is.
        state: CameraState,
    },
    /// A member's picture changed in a way that the page can't see for itself.
    Picture {
        /// Whose.
        member: MemberId,
        /// How it is.
        state: PictureState,
        /// Columns and rows: there are none.
        width: u16,
        /// The same.
        height: u16,
    },
}

/// How a picture is that isn't painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureState {
    /// It comes, and can't be opened here.
    Undecodable,
}

/// How the connection to the relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// In the room.
    Connected,
    /// Broken, and being resumed.
    Reconnecting,
    /// Over. Nothing follows.
    Ended,
}

/// Why a call ended, or never began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EndCode {
    /// A code of the protocol's.
    Code(Code),
    /// One of the app's own.
    Own(OwnCode),
}

/// Ends that no relay tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnCode {
    /// Nobody answers, or nobody who is a Visita host.
    Unreachable,
    /// Not the host that was trusted before.
    PinMismatch,
}

impl From<Error> for EndCode {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(code) => Self::Code(code),
            Error::Mismatch(_) => Self::Own(OwnCode::PinMismatch),
            Error::Unreachable { .. } | Error::NotAHost { .. } | Error::Certificate { .. } => {
                Self::Own(OwnCode::Unreachable)
            }
            Error::NotResumed { .. } => Self::Code(Code::SessionGone),
            Error::Protocol(_) => Self::Code(Code::Version),
            Error::Overflow => Self::Code(Code::RateLimited),
            _ => Self::Code(Code::Internal),
        }
    }
}

/// How the own camera is, as the page knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// Switched off.
    Off,
    /// Being opened.
    Starting,
    /// Pictures come.
    On,
    /// This program may not use it.
    Denied,
    /// There is none.
    Missing,
    /// Another program has it.
    Busy,
    /// It stopped.
    Lost,
    /// It gives nothing that can be used.
    Failed,
}

impl From<&source::Error> for CameraState {
    fn from(error: &source::Error) -> Self {
        match error {
            source::Error::Missing => Self::Missing,
            source::Error::Denied => Self::Denied,
            source::Error::Busy => Self::Busy,
            source::Error::Lost(_) => Self::Lost,
            _ => Self::Failed,
        }
    }
}

impl From<&Camera> for CameraState {
    fn from(camera: &Camera) -> Self {
        match camera {
            Camera::Off => Self::Off,
            Camera::Starting => Self::Starting,
            Camera::On { .. } => Self::On,
            Camera::Failed(error) => error.into(),
        }
    }
}

/// The page's calls, one at a time.
pub struct Calls {
    video: Mutex<Choice>,
    board: Arc<Board>,
    shown: watch::Receiver<Shown>,
    count: AtomicU32,
    current: Mutex<Option<Current>>,
    going_on: watch::Sender<bool>,
}

struct Current {
    id: u32,
    /// What the page wants of the call, in order, also before it is joined.
    orders: mpsc::UnboundedSender<Order>,
}

enum Order {
    Chat(ChatText),
    Camera(bool),
    Source(Choice),
    Leave,
}

impl Calls {
    /// No call. Own pictures come from `video`; `shown` tells what the page shows.
    pub fn new(video: Choice, board: Arc<Board>, shown: watch::Receiver<Shown>) -> Self {
        Self {
            video: Mutex::new(video),
            board,
            shown,
            count: AtomicU32::new(1),
            current: Mutex::default(),
            going_on: watch::Sender::default(),
        }
    }

    /// Whether there is a call.
    pub fn going_on(&self) -> watch::Receiver<bool> {
        self.going_on.subscribe()
    }

    /// Begins a call, and leaves the one before. All that happens is given to `tell`, in order;
    /// [`ConnectionState::Ended`] is the last.
    pub fn join(
        self: &Arc<Self>,
        relay: Option<InUse>,
        wish: Wish,
        tell: impl Fn(CallEvent) + Send + Sync + 'static,
    ) -> Result<u32, EndCode> {
        let options = wish
            .options(lock(&self.video).clone())
            .map_err(EndCode::Code)?;
        let relay = relay.ok_or(EndCode::Own(OwnCode::Unreachable))?;
        let session = relay.session().map_err(EndCode::from)?;
        let id = self.count.fetch_add(1, Ordering::Relaxed);
        let (orders, queue) = mpsc::unbounded_channel();
        if let Some(before) = self.lock().replace(Current { id, orders }) {
            let _ = before.orders.send(Order::Leave);
        }
        self.going_on.send_replace(true);
        let calls = self.clone();
        tokio::spawn(async move {
            let error = calls.run(session, options, queue, &tell).await.err();
            if let Some(error) = &error {
                tracing::warn!(%error, "the call ended");
            }
            let mut current = calls.lock();
            if current.as_ref().is_some_and(|current| current.id == id) {
                *current = None;
                calls.board.clear();
            }
            calls.going_on.send_replace(current.is_some());
            drop(current);
            tell(connection(ConnectionState::Ended, error.map(EndCode::from)));
        });
        Ok(id)
    }

    /// Leaves. A call that is over is left already.
    pub fn leave(&self, call: u32) {
        let _ = self.order(call, Order::Leave);
    }

    /// Leaves whatever call there is: the app ends.
    pub fn leave_all(&self) {
        if let Some(current) = self.lock().take() {
            let _ = current.orders.send(Order::Leave);
        }
    }

    /// Writes to everybody in the room.
    pub fn chat(&self, call: u32, text: &str) -> Result<(), Code> {
        let text = ChatText::new(text)?;
        self.order(call, Order::Chat(text))
            .map_err(|Over| Code::NotJoined)
    }

    /// Switches the camera on or off.
    pub fn camera(&self, call: u32, on: bool) -> Result<(), Code> {
        self.order(call, Order::Camera(on))
            .map_err(|Over| Code::NotJoined)
    }

    /// Takes own pictures from there: a call that goes on too.
    pub fn source(&self, choice: Choice) {
        let before = std::mem::replace(&mut *lock(&self.video), choice.clone());
        let current = self.lock();
        if let Some(current) = current.as_ref().filter(|_| before != choice) {
            let _ = current.orders.send(Order::Source(choice));
        }
    }

    fn order(&self, call: u32, order: Order) -> Result<(), Over> {
        let current = self.lock();
        let current = current
            .as_ref()
            .filter(|current| current.id == call)
            .ok_or(Over)?;
        current.orders.send(order).map_err(|_| Over)
    }

    async fn run(
        &self,
        session: visita_client::session::Options,
        options: call::Options,
        mut orders: mpsc::UnboundedReceiver<Order>,
        tell: &impl Fn(CallEvent),
    ) -> Result<(), Error> {
        let joining = call::join(session, options);
        tokio::pin!(joining);
        let mut waiting = Vec::new();
        let (call, events, joined) = loop {
            tokio::select! {
                joined = &mut joining => break joined?,
                order = orders.recv() => match order {
                    None | Some(Order::Leave) => return Ok(()),
                    Some(order) => waiting.push(order),
                },
            }
        };
        let call::Joined {
            room,
            you,
            members,
            chat,
            ..
        } = joined;
        tell(connection(ConnectionState::Connected, None));
        tell(CallEvent::Relay {
            message: RelayMessage::Joined {
                room,
                you,
                members,
                chat,
            },
        });
        for order in waiting {
            obey(&call, order).await;
        }
        let painting = tokio::spawn(paint(call.pictures(), self.board.clone()));
        let watching = tokio::spawn(watch(call.clone(), self.shown.clone()));
        let ended = pump(call, events, orders, &self.board, tell).await;
        painting.abort();
        watching.abort();
        ended
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        lock(&self.current)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn obey(call: &Call, order: Order) {
    match order {
        Order::Chat(text) => {
            if let Err(error) = call.chat(text) {
                tracing::warn!(%error, "a line isn't sent");
            }
        }
        Order::Camera(on) => {
            // A call that is over tells so by its last event.
            let _ = call.camera(on).await;
        }
        Order::Source(choice) => {
            let _ = call.source(choice).await;
        }
        Order::Leave => call.leave(),
    }
}

async fn pump(
    call: Call,
    mut events: mpsc::Receiver<Event>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    board: &Board,
    tell: &impl Fn(CallEvent),
) -> Result<(), Error> {
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(Event::Relay(message)) => {
                    forget_hidden(&message, board);
                    tell(CallEvent::Relay { message });
                }
                Some(Event::Reconnecting) => tell(connection(ConnectionState::Reconnecting, None)),
                Some(Event::Reconnected) => tell(connection(ConnectionState::Connected, None)),
                Some(Event::Camera(camera)) => {
                    if !matches!(camera, Camera::On { .. }) {
                        board.remove(SELF);
                    }
                    tell(CallEvent::Camera { state: (&camera).into() });
                }
                Some(Event::Unseen(member)) => {
                    board.remove(member.0);
                    tell(CallEvent::Picture {
                        member,
                        state: PictureState::Undecodable,
                        width: 0,
                        height: 0,
                    });
                }
                // The page knows no sound of the app's yet.
                Some(Event::Microphone(_) | Event::Speaker(_) | Event::Levels(_)) => {}
                Some(Event::Ended { error: Some(error), .. }) => return Err(error),
                Some(Event::Ended { error: None, .. }) | None => return Ok(()),
            },
            // The page's side lives as long as the call is the current one; a new call leaves it.
            Some(order) = orders.recv() => obey(&call, order).await,
        }
    }
}

/// A picture that nobody sends any more must not be painted again when its tile comes back.
fn forget_hidden(message: &RelayMessage, board: &Board) {
    match message {
        RelayMessage::MemberChanged { member } => {
            let mut tracks = member.tracks.iter();
            if !tracks.any(|track| track.codec.kind() == Some(Kind::Video)) {
                board.remove(member.id.0);
            }
        }
        RelayMessage::MemberLeft { member, .. } => board.remove(member.0),
        _ => {}
    }
}

async fn paint(pictures: Pictures, board: Arc<Board>) {
    loop {
        for (whose, picture) in pictures.next().await {
            let member = match whose {
                Whose::Own => SELF,
                Whose::Member(member) => member.0,
            };
            board.put(member, picture);
        }
    }
}

/// Tells the relay what the page shows, from the first tile on.
async fn watch(call: Call, mut shown: watch::Receiver<Shown>) {
    if shown.wait_for(|shown| !shown.is_empty()).await.is_err() {
        return;
    }
    loop {
        let views = views(&shown.borrow_and_update());
        if call
            .watch(Watch {
                others: None,
                views,
            })
            .await
            .is_err()
        {
            return;
        }
        sleep(WATCH_EVERY).await;
        if shown.changed().await.is_err() {
            return;
        }
    }
}

fn views(shown: &Shown) -> Vec<View> {
    let members = shown.iter().filter(|(member, _)| **member != SELF);
    members
        .map(|(&member, &size)| View {
            member: MemberId(member),
            size: Some(size),
        })
        .collect()
}

fn connection(state: ConnectionState, code: Option<EndCode>) -> CallEvent {
    CallEvent::Connection { state, code }
}
