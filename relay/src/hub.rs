//! Who is here: sessions and rooms, under one lock that only control messages take.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{oneshot, watch},
    time::{MissedTickBehavior, interval},
};
use visita_protocol::{
    control::{
        ClientMessage, Compression, Connection, LeaveReason, LobbyMessage, RelayMessage,
        RelayPacket, Resume, Role, Welcome,
    },
    error::Code,
    id::{MemberId, RoomId, Secret, SessionId, TrackId},
    name::{PersonName, RoomName},
    room::{self, Action, Joining, Place, Rooms},
    session::Lifeline,
    time::Now,
};

use crate::{
    clock,
    config::Limits,
    metrics::{self, Counters, Gauges},
    outlet::{End, MemberLink, Taken},
    seat::{Dirty, Seat},
};

/// How often the hub looks for what time alone brings: sessions that are over, rooms that stayed
/// empty, key frames that didn't come.
const TICK: Duration = Duration::from_millis(250);

/// Somebody in a room, for the host's own screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Who, in this relay.
    pub member: MemberId,
    /// What the person is called.
    pub name: PersonName,
    /// Who the person is.
    pub role: Role,
    /// In which room.
    pub room: RoomId,
    /// What the room is called.
    pub room_name: RoomName,
    /// Whether the person can be reached.
    pub connection: Connection,
}

/// How a connection ended, as far as its session is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The participant closed it in order: it is gone.
    Left,
    /// It broke: the participant may come back.
    Broken,
    /// The participant broke the rules.
    Removed,
}

/// A connection in a session.
pub(crate) struct Attached {
    pub(crate) seat: Arc<Seat>,
    pub(crate) generation: u64,
    pub(crate) ended: oneshot::Receiver<End>,
}

/// Sessions and rooms.
pub(crate) struct Hub {
    state: Mutex<State>,
    limits: Limits,
    counters: Arc<Counters>,
    rooms_changed: watch::Sender<u64>,
    people_changed: watch::Sender<u64>,
}

struct State {
    rooms: Rooms,
    sessions: HashMap<SessionId, Entry>,
    members: HashMap<MemberId, Arc<Seat>>,
}

struct Entry {
    seat: Arc<Seat>,
    place: Option<Place>,
    lifeline: Lifeline,
    /// Since when it is in no room.
    idle_since: Now,
}

impl Hub {
    pub(crate) fn new(limits: &Limits, counters: Arc<Counters>) -> Arc<Self> {
        let rooms = Rooms::new(room::Limits {
            rooms: limits.rooms as usize,
            members: limits.members as usize,
            empty_for: Duration::from_secs(limits.empty_room_s.into()),
        });
        let state = State {
            rooms,
            sessions: HashMap::new(),
            members: HashMap::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            limits: limits.clone(),
            counters,
            rooms_changed: watch::Sender::new(0),
            people_changed: watch::Sender::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new session over this connection.
    pub(crate) fn open(
        &self,
        link: &Arc<MemberLink>,
        version: u8,
        compression: Option<Compression>,
    ) -> Result<Attached, Code> {
        let mut state = self.lock();
        if state.sessions.len() >= self.limits.sessions as usize {
            return Err(Code::Busy);
        }
        let seat = Seat::new(
            SessionId(rand::random()),
            Secret(rand::random()),
            self.counters.clone(),
        );
        let now = clock::now();
        let attached = self.attach(&seat, link, version, compression, None)?;
        let entry = Entry {
            seat: seat.clone(),
            place: None,
            lifeline: Lifeline::Connected,
            idle_since: now,
        };
        state.sessions.insert(seat.session, entry);
        metrics::add(&self.counters.sessions, 1);
        Ok(attached)
    }

    /// Goes on with a session over this connection.
    pub(crate) fn resume(
        &self,
        link: &Arc<MemberLink>,
        version: u8,
        compression: Option<Compression>,
        resume: &Resume,
    ) -> Result<Attached, Code> {
        let mut state = self.lock();
        let entry = state
            .sessions
            .get_mut(&resume.session)
            .ok_or(Code::SessionGone)?;
        if !entry.seat.secret.matches(&resume.secret) {
            return Err(Code::SessionGone);
        }
        let seat = entry.seat.clone();
        let attached = self.attach(&seat, link, version, compression, Some(resume.received))?;
        entry.lifeline.back();
        entry.idle_since = clock::now();
        metrics::add(&self.counters.sessions_resumed, 1);
        let mut dirty = Dirty::default();
        if let Some(place) = entry.place {
            let actions = state.rooms.back(clock::now(), place);
            Self::act(&mut state, actions, &mut dirty);
        }
        self.changed(&state);
        drop(state);
        dirty.flush();
        Ok(attached)
    }

    fn attach(
        &self,
        seat: &Arc<Seat>,
        link: &Arc<MemberLink>,
        version: u8,
        compression: Option<Compression>,
        received: Option<u64>,
    ) -> Result<Attached, Code> {
        let welcome = |got| {
            RelayPacket::Welcome(Welcome {
                version,
                session: seat.session,
                secret: seat.secret,
                resumed: received.is_some(),
                received: got,
                heartbeat_ms: self.limits.heartbeat_ms,
                grace_ms: self.limits.grace_s.saturating_mul(1000),
                max_packet: self.limits.max_packet,
                compression,
            })
        };
        let attached = seat
            .outlet
            .attach(link, compression.is_some(), received, welcome);
        let (generation, ended) = attached.map_err(visita_protocol::session::Error::code)?;
        seat.attached(generation);
        Ok(Attached {
            seat: seat.clone(),
            generation,
            ended,
        })
    }

    /// Takes a numbered message. `Err` = the connection and its session can't go on.
    pub(crate) fn message(
        &self,
        seat: &Seat,
        generation: u64,
        n: u64,
        ack: u64,
        body: Result<ClientMessage, Code>,
    ) -> Result<(), Code> {
        let mut dirty = Dirty::default();
        let mut state = self.lock();
        match seat.outlet.accept(generation, n, ack) {
            Ok(Taken::New) => {}
            Ok(Taken::Duplicate | Taken::Stale) => return Ok(()),
            Err(error) => return Err(error.code()),
        }
        let said = body.and_then(|body| self.said(&mut state, seat, body, &mut dirty));
        if let Err(code) = said {
            let answer = RelayMessage::Error {
                code,
                reply_to: Some(n),
            };
            Self::send(&mut state, seat, answer, &mut dirty);
        }
        self.changed(&state);
        drop(state);
        dirty.flush();
        Ok(())
    }

    fn said(
        &self,
        state: &mut State,
        seat: &Seat,
        body: ClientMessage,
        dirty: &mut Dirty,
    ) -> Result<(), Code> {
        let (now, wall) = (clock::now(), clock::wall());
        let entry = state
            .sessions
            .get_mut(&seat.session)
            .ok_or(Code::SessionGone)?;
        match (body, entry.place) {
            (
                ClientMessage::Join {
                    room,
                    name,
                    role,
                    decodes,
                    watch,
                    clock,
                },
                None,
            ) => {
                let joining = Joining {
                    name,
                    role,
                    decodes,
                    watch,
                    clock,
                };
                let joined = state
                    .rooms
                    .join(now, wall, &room, RoomId(rand::random()), joining)?;
                entry.place = Some(joined.place);
                let member = joined.place.member;
                entry.seat.seated(Some(member));
                let seat = entry.seat.clone();
                state.members.insert(member, seat);
                Self::act(state, joined.actions, dirty);
                tracing::info!(%member, room = %joined.place.room, "joined");
            }
            (ClientMessage::Join { .. }, Some(_)) => return Err(Code::OutOfTurn),
            (ClientMessage::Leave, Some(place)) => {
                entry.place = None;
                entry.idle_since = now;
                Self::leave(state, place, LeaveReason::Left, dirty);
            }
            (ClientMessage::Unknown, _) => return Err(Code::UnknownMessage),
            (_, None) => return Err(Code::NotJoined),
            (body, Some(place)) => {
                let announces = matches!(body, ClientMessage::Tracks { .. });
                let actions = state.rooms.handle(now, wall, place, body)?;
                if announces {
                    let room = state.rooms.room(place.room);
                    let member = room
                        .and_then(|room| room.members().find(|member| member.id == place.member));
                    seat.announced(member.map_or(&[], |member| &member.tracks));
                }
                Self::act(state, actions, dirty);
            }
        }
        Ok(())
    }

    /// Carries out what follows from a room's change. Key frames are asked for last, when everybody
    /// knows what to send.
    fn act(state: &mut State, actions: Vec<Action>, dirty: &mut Dirty) {
        let mut key_frames: Vec<(MemberId, TrackId)> = Vec::new();
        for action in actions {
            match action {
                Action::Send { to, message } => {
                    let Some(seat) = state.members.get(&to).cloned() else {
                        continue;
                    };
                    if let RelayMessage::Send { tracks } = &message {
                        seat.wanted(tracks);
                    }
                    Self::send(state, &seat, message, dirty);
                }
                Action::Route {
                    receiver,
                    sender,
                    tracks,
                } => {
                    let outlet = state.members.get(&receiver).map(|seat| &seat.outlet);
                    if let Some(outlet) = outlet {
                        let starting = outlet.route(sender, &tracks);
                        key_frames.extend(starting.into_iter().map(|track| (sender, track)));
                    }
                    if let Some(sender) = state.members.get(&sender) {
                        sender.heard_by(receiver, outlet.filter(|_| !tracks.is_empty()));
                    }
                }
                Action::KeyFrame { sender, track } => key_frames.push((sender, track)),
            }
        }
        for (sender, track) in key_frames {
            if let Some(seat) = state.members.get(&sender) {
                seat.need_key_frame(clock::now(), track, dirty);
            }
        }
    }

    /// Sends a numbered message. A session that acknowledges nothing for too long is over.
    fn send(state: &mut State, seat: &Seat, message: RelayMessage, dirty: &mut Dirty) {
        if let Ok(link) = seat.outlet.send(message) {
            dirty.add(link);
            return;
        }
        seat.outlet.end(End::Over);
        // Its end takes it out of its room; until then it is only waited for.
        if let Some(entry) = state.sessions.get_mut(&seat.session) {
            entry.lifeline = Lifeline::Lost { since: Now(0) };
        }
    }

    fn leave(state: &mut State, place: Place, reason: LeaveReason, dirty: &mut Dirty) {
        let actions = state.rooms.leave(clock::now(), place, reason);
        Self::act(state, actions, dirty);
        if let Some(seat) = state.members.remove(&place.member) {
            seat.seated(None);
        }
        tracing::info!(member = %place.member, ?reason, "left");
    }

    /// Takes an acknowledgement alone.
    pub(crate) fn acked(seat: &Seat, generation: u64, ack: u64) -> Result<(), Code> {
        seat.outlet
            .acked(generation, ack)
            .map_err(visita_protocol::session::Error::code)
    }

    /// A connection is gone.
    pub(crate) fn gone(&self, seat: &Seat, generation: u64, how: Gone) {
        let mut dirty = Dirty::default();
        let mut state = self.lock();
        if !seat.outlet.detach(generation) {
            return;
        }
        match how {
            Gone::Left => self.end(&mut state, seat.session, LeaveReason::Left, &mut dirty),
            Gone::Removed => self.end(&mut state, seat.session, LeaveReason::Removed, &mut dirty),
            Gone::Broken => {
                let now = clock::now();
                if let Some(entry) = state.sessions.get_mut(&seat.session) {
                    entry.lifeline.lost(now);
                    if let Some(place) = entry.place {
                        let actions = state.rooms.lost(now, place);
                        Self::act(&mut state, actions, &mut dirty);
                    }
                }
            }
        }
        self.changed(&state);
        drop(state);
        dirty.flush();
    }

    /// A session is over.
    fn end(&self, state: &mut State, session: SessionId, reason: LeaveReason, dirty: &mut Dirty) {
        let Some(entry) = state.sessions.remove(&session) else {
            return;
        };
        if let Some(place) = entry.place {
            Self::leave(state, place, reason, dirty);
        }
        entry.seat.outlet.end(End::Over);
    }

    /// Does what time alone brings, until told to stop.
    pub(crate) async fn run(&self, stopped: impl Future<Output = ()>) {
        let mut stopped = pin!(stopped);
        let mut every = interval(TICK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = every.tick() => self.tick(clock::now()),
                () = &mut stopped => return,
            }
        }
    }

    fn tick(&self, now: Now) {
        let mut dirty = Dirty::default();
        let mut state = self.lock();
        let grace = Duration::from_secs(self.limits.grace_s.into());
        let idle = Duration::from_secs(self.limits.idle_s.into());
        let mut over = Vec::new();
        for (id, entry) in &state.sessions {
            if entry.lifeline.expired(now, grace) {
                metrics::add(&self.counters.sessions_lost, 1);
                over.push(*id);
            } else if entry.place.is_none() && now.since(entry.idle_since) > idle {
                over.push(*id);
            } else {
                entry.seat.tick(now, &mut dirty);
            }
        }
        for id in over {
            self.end(&mut state, id, LeaveReason::Lost, &mut dirty);
        }
        state.rooms.tick(now);
        self.changed(&state);
        drop(state);
        dirty.flush();
    }

    /// Says to everybody that the relay ends.
    pub(crate) fn close(&self) {
        let mut dirty = Dirty::default();
        let mut state = self.lock();
        let seats: Vec<_> = state
            .sessions
            .values()
            .map(|entry| entry.seat.clone())
            .collect();
        for seat in seats {
            Self::send(&mut state, &seat, RelayMessage::Closing, &mut dirty);
        }
        drop(state);
        dirty.flush();
    }

    /// Says that lists and people may have changed.
    fn changed(&self, state: &State) {
        let revision = state.rooms.revision();
        self.rooms_changed.send_if_modified(|known| {
            let changed = *known != revision;
            *known = revision;
            changed
        });
        let people = state.digest();
        self.people_changed.send_if_modified(|known| {
            let changed = *known != people;
            *known = people;
            changed
        });
    }

    /// Changes whenever the list of rooms does.
    pub(crate) fn rooms_changed(&self) -> watch::Receiver<u64> {
        self.rooms_changed.subscribe()
    }

    /// Changes whenever rooms or people do.
    pub(crate) fn people_changed(&self) -> watch::Receiver<u64> {
        self.people_changed.subscribe()
    }

    /// All rooms, as lists show them.
    pub(crate) fn rooms(&self) -> LobbyMessage {
        LobbyMessage::Rooms {
            rooms: self.lock().rooms.list().to_vec(),
            now_ms: clock::wall(),
        }
    }

    /// The same as text.
    pub(crate) fn rooms_text(&self) -> Bytes {
        serde_json::to_vec(&self.rooms()).unwrap_or_default().into()
    }

    /// Everybody in any room.
    pub(crate) fn people(&self) -> Vec<Person> {
        let state = self.lock();
        let mut people = Vec::new();
        for info in state.rooms.list() {
            let Some(room) = state.rooms.room(info.id) else {
                continue;
            };
            people.extend(room.members().map(|member| Person {
                member: member.id,
                name: member.name.clone(),
                role: member.role,
                room: info.id,
                room_name: info.name.clone(),
                connection: member.connection,
            }));
        }
        people
    }

    pub(crate) fn gauges(&self) -> Gauges {
        let state = self.lock();
        Gauges {
            connections: 0,
            sessions: state.sessions.len() as u64,
            rooms: state.rooms.list().len() as u64,
            members: state.members.len() as u64,
        }
    }
}

impl State {
    /// Differs when rooms, members or their connections do. Members come and go with the list's
    /// revision; what is left are their connections.
    fn digest(&self) -> u64 {
        let lost = self
            .sessions
            .values()
            .filter(|entry| entry.lifeline != Lifeline::Connected)
            .count() as u64;
        self.rooms.revision() << 16 | lost
    }
}
