//! The call that the page is in: the client's events become the page's, its pictures go to the
//! frames' board, its sound comes from and goes to the devices that were chosen, and what the page
//! shows is told to the relay.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use visita_client::{
    Error,
    call::{self, Call, Camera, Event, Microphone, Over, Speaker},
    pictures::{Pictures, Whose},
};
use visita_media::{sound, source::Choice};
use visita_protocol::{
    control::{RelayMessage, Role, RoomChoice, RoomKind, View, Watch},
    error::Code,
    id::{MemberId, RoomId},
    media::{Kind, Size},
    name::{ChatText, PersonName, RoomName},
    travel::{Step, Travel, Why},
};

use crate::{
    frames::{Board, SELF, Shown},
    relay::InUse,
    sounds::{Changes, Signal, Sounds},
    way,
};

mod events;

pub(crate) use events::decibels;
pub use events::{
    CallEvent, CameraState, ConnectionState, Control, EndCode, MicState, OwnCode, PictureState,
    SoundState, Which,
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
    /// Whether the microphone is open from the start.
    #[serde(default)]
    microphone: bool,
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
        // It is opened only by what the person said last, which may be said while it is joined.
        options.muted = true;
        options.trace = way::trace();
        Ok(options)
    }
}

/// The page's calls, one at a time.
pub struct Calls {
    video: Mutex<Choice>,
    sounds: Arc<Sounds>,
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
    MakeCode,
    Camera(bool),
    Source(Choice),
    Microphone(bool),
    Volume(MemberId, f32),
    Signal(Signal),
    Hear,
    Leave,
}

impl Calls {
    /// No call. Own pictures come from `video`, sound goes by `sounds`; `shown` tells what the page
    /// shows.
    pub fn new(
        video: Choice,
        sounds: Arc<Sounds>,
        board: Arc<Board>,
        shown: watch::Receiver<Shown>,
    ) -> Self {
        Self {
            video: Mutex::new(video),
            sounds,
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
        let microphone = wish.microphone;
        let options = wish
            .options(lock(&self.video).clone())
            .map_err(EndCode::Code)?;
        let relay = relay.ok_or(EndCode::Own(OwnCode::Unreachable))?;
        let session = relay.session().map_err(EndCode::from)?;
        let id = self.count.fetch_add(1, Ordering::Relaxed);
        let (orders, queue) = mpsc::unbounded_channel();
        let _ = orders.send(Order::Microphone(microphone));
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

    /// Asks for six digits that lead into the room; they are told as what the relay says.
    pub fn make_code(&self, call: u32) -> Result<(), Code> {
        self.order(call, Order::MakeCode)
            .map_err(|Over| Code::NotJoined)
    }

    /// Switches the camera on or off.
    pub fn camera(&self, call: u32, on: bool) -> Result<(), Code> {
        self.order(call, Order::Camera(on))
            .map_err(|Over| Code::NotJoined)
    }

    /// Mutes the microphone, or opens it; one that failed is tried again.
    pub fn microphone(&self, call: u32, on: bool) -> Result<(), Code> {
        self.order(call, Order::Microphone(on))
            .map_err(|Over| Code::NotJoined)
    }

    /// How loud a member is heard here: 0 not at all, 1 as sent.
    pub fn volume(&self, call: u32, member: MemberId, volume: f32) -> Result<(), Code> {
        self.order(call, Order::Volume(member, volume))
            .map_err(|Over| Code::NotJoined)
    }

    /// Plays a soft sound where the call is heard. Answers whether there is a call.
    pub fn signal(&self, which: Signal) -> bool {
        let current = self.lock();
        let order = |current: &Current| current.orders.send(Order::Signal(which)).is_ok();
        current.as_ref().is_some_and(order)
    }

    /// Tries a loudspeaker that failed again.
    pub fn hear(&self, call: u32) -> Result<(), Code> {
        self.order(call, Order::Hear)
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
        mut options: call::Options,
        mut orders: mpsc::UnboundedReceiver<Order>,
        tell: &impl Fn(CallEvent),
    ) -> Result<(), Error> {
        let taken = self.sounds.taken().await;
        options.audio = taken.microphone.clone();
        options.play = taken.speaker.clone();
        options.process = taken.process;
        let joining = call::join(session, options);
        tokio::pin!(joining);
        let mut waiting = Vec::new();
        let (call, events, joined) = loop {
            tokio::select! {
                joined = &mut joining => break joined?,
                order = orders.recv() => match order {
                    None | Some(Order::Leave) => return Ok(()),
                    // Later it would say nothing of what happens then.
                    Some(Order::Signal(_)) => {}
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
        // The only way that a client has.
        tell(CallEvent::Way {
            control: Control::Websocket,
            way: Travel {
                step: Step::Frames,
                why: Why::Missing,
            },
        });
        let mut going = Going {
            call: call.clone(),
            sounds: self.sounds.clone(),
            board: self.board.clone(),
            muted: true,
            failed: false,
        };
        if taken.microphone == sound::source::Choice::None {
            let state = self.sounds.without();
            tell(CallEvent::Microphone { state });
        }
        while let Ok(order) = orders.try_recv() {
            waiting.push(order);
        }
        // Only what was said last of the microphone: who opened and muted it isn't heard between.
        let mut microphone = false;
        for order in waiting {
            match order {
                Order::Microphone(on) => microphone = on,
                order => going.obey(order).await,
            }
        }
        going.obey(Order::Microphone(microphone)).await;
        let painting = tokio::spawn(paint(call.pictures(), self.board.clone()));
        let watching = tokio::spawn(watch(call.clone(), self.shown.clone()));
        let following = tokio::spawn(follow(call, self.sounds.changes(taken)));
        let ended = going.run(events, orders, tell).await;
        painting.abort();
        watching.abort();
        following.abort();
        ended
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        lock(&self.current)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that goes on.
struct Going {
    call: Call,
    sounds: Arc<Sounds>,
    board: Arc<Board>,
    /// What was said last.
    muted: bool,
    /// Whether the microphone gives nothing.
    failed: bool,
}

impl Going {
    async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut orders: mpsc::UnboundedReceiver<Order>,
        tell: &impl Fn(CallEvent),
    ) -> Result<(), Error> {
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Ended { error: Some(error), .. }) => return Err(error),
                    Some(Event::Ended { error: None, .. }) | None => return Ok(()),
                    Some(event) => self.event(event, tell),
                },
                // The page's side lives as long as the call is the current one; a new call leaves
                // it.
                Some(order) = orders.recv() => self.obey(order).await,
            }
        }
    }

    /// Does what the page wants. A call that is over tells so by its last event.
    async fn obey(&mut self, order: Order) {
        let call = &self.call;
        match order {
            Order::Chat(text) => {
                if let Err(error) = call.chat(text) {
                    tracing::warn!(%error, "a line isn't sent");
                }
            }
            Order::MakeCode => {
                if let Err(error) = call.make_code() {
                    tracing::warn!(%error, "a code isn't asked for");
                }
            }
            Order::Camera(on) => {
                let _ = call.camera(on).await;
            }
            Order::Source(choice) => {
                let _ = call.source(choice).await;
            }
            Order::Microphone(on) => {
                self.muted = !on;
                let _ = call.mute(!on).await;
                if on && self.failed {
                    let _ = call.audio(self.sounds.chosen().microphone).await;
                }
            }
            Order::Volume(member, volume) => {
                let _ = call.volume(member, volume).await;
            }
            Order::Signal(which) => {
                let _ = call.sound(which.blocks()).await;
            }
            Order::Hear => {
                let _ = call.play(self.sounds.chosen().speaker).await;
            }
            Order::Leave => call.leave(),
        }
    }

    fn event(&mut self, event: Event, tell: &impl Fn(CallEvent)) {
        match event {
            Event::Relay(message) => {
                forget_hidden(&message, &self.board);
                tell(CallEvent::Relay { message });
            }
            Event::Reconnecting => tell(connection(ConnectionState::Reconnecting, None)),
            Event::Reconnected => tell(connection(ConnectionState::Connected, None)),
            Event::Camera(camera) => {
                if !matches!(camera, Camera::On { .. }) {
                    self.board.remove(SELF);
                }
                tell(CallEvent::Camera {
                    state: (&camera).into(),
                });
            }
            Event::Unseen(member) => {
                self.board.remove(member.0);
                tell(CallEvent::Picture {
                    member,
                    state: PictureState::Undecodable,
                    width: 0,
                    height: 0,
                });
            }
            Event::Microphone(microphone) => {
                // It was said before the microphone was opened, and is no longer so.
                if microphone == Microphone::Muted && !self.muted {
                    return;
                }
                self.failed = matches!(microphone, Microphone::Failed(_));
                if self.failed {
                    self.sounds.look_again();
                }
                let state = match &microphone {
                    Microphone::Off => self.sounds.without(),
                    microphone => microphone.into(),
                };
                tell(CallEvent::Microphone { state });
            }
            Event::Source { name } => tell(CallEvent::Device {
                device: Which::Microphone,
                name,
            }),
            Event::Speaker(speaker) => {
                let state = SoundState::from(&speaker);
                if state != SoundState::On {
                    self.sounds.look_again();
                }
                tell(CallEvent::Sound { state });
                if let Speaker::On { name } = speaker {
                    let device = Which::Speaker;
                    tell(CallEvent::Device { device, name });
                }
            }
            Event::Levels(levels) => tell(levels.into()),
            Event::Uplink(carries) => tell(CallEvent::Uplink { carries }),
            Event::Way(way) => tracing::info!(?way, "media goes another way"),
            Event::Ended { .. } => {}
        }
    }
}

/// Takes sound from, and plays it on, what is chosen and there, as both change.
async fn follow(call: Call, mut changes: Changes) -> Result<(), Over> {
    loop {
        let (before, now) = changes.next().await;
        if now.microphone != before.microphone {
            call.audio(now.microphone).await?;
        }
        if now.speaker != before.speaker {
            call.play(now.speaker).await?;
        }
        if now.process != before.process {
            call.process(now.process).await?;
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

#[cfg(test)]
mod tests;
