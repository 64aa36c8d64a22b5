//! Who is here: sessions and rooms, under one lock that only control messages take.

mod state;

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use state::{Entry, State};
use tokio::{
    sync::{oneshot, watch},
    time::{MissedTickBehavior, interval},
};
use visita_protocol::{
    code::{Codes, RoomCode},
    control::{
        ClientMessage, Compression, Connection, LeaveReason, LobbyMessage, RelayMessage,
        RelayPacket, Resume, Role, RoomKind, Welcome,
    },
    error::Code,
    id::{MemberId, RoomId, Secret, SessionId},
    name::{PersonName, RoomName},
    room::{self, Rooms},
    session::Lifeline,
    time::Now,
};

use crate::{
    carrier::MemberLink,
    clock,
    config::Limits,
    limits::Neighbours,
    metrics::{self, Counters, Gauges},
    outlet::{Body, Carried, End, Line, Taken},
    seat::{Dirty, Seat},
    web::Peer,
};

/// How often the hub looks for what time alone brings: sessions that are over, rooms that stayed
/// empty, key frames that didn't come.
const TICK: Duration = Duration::from_millis(250);

/// For how long a list of rooms is told again: it also says what time it is.
const LIST_LIFE: Duration = Duration::from_secs(1);

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
    /// How the person's line fares.
    pub line: Line,
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
    /// Whether media may go over UDP.
    webrtc: bool,
    counters: Arc<Counters>,
    rooms_changed: watch::Sender<u64>,
    /// The list of rooms as text: of which revision, and from when.
    listed: Mutex<Option<(u64, Now, Bytes)>>,
    people_changed: watch::Sender<u64>,
}

impl Hub {
    pub(crate) fn new(limits: &Limits, webrtc: bool, counters: Arc<Counters>) -> Arc<Self> {
        let rooms = Rooms::new(room::Limits {
            rooms: limits.rooms as usize,
            members: limits.members as usize,
            empty_for: Duration::from_secs(limits.empty_room_s.into()),
        });
        let state = State {
            rooms,
            sessions: HashMap::new(),
            members: HashMap::new(),
            floors: HashMap::new(),
            neighbours: Neighbours::new(limits.sessions_per_address, limits.new_rooms_per_minute),
            codes: Codes::new(Duration::from_secs(limits.code_valid_s.into())),
            people: 0,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            limits: limits.clone(),
            webrtc,
            counters,
            rooms_changed: watch::Sender::new(0),
            listed: Mutex::default(),
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
        peer: &Peer,
        version: u8,
        compression: Option<Compression>,
    ) -> Result<Attached, Code> {
        let mut state = self.lock();
        if !state.neighbours.has_room(peer.ip) {
            return Err(Code::RateLimited);
        }
        if state.sessions.len() >= self.limits.sessions as usize {
            return Err(Code::Busy);
        }
        let seat = Seat::new(
            SessionId(rand::random()),
            Secret(rand::random()),
            self.counters.clone(),
        );
        let now = clock::now();
        let (attached, _) = self.attach(&seat, link, version, compression, None)?;
        state.neighbours.came(peer.ip);
        let entry = Entry {
            seat: seat.clone(),
            address: peer.ip,
            place: None,
            lifeline: Lifeline::Connected,
            idle_since: now,
            way: None,
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
        let received = Some(resume.received);
        let (attached, behind) = self.attach(&seat, link, version, compression, received)?;
        entry.lifeline.back();
        entry.idle_since = clock::now();
        metrics::add(&self.counters.sessions_resumed, 1);
        let mut dirty = Dirty::default();
        if let Some(place) = entry.place {
            state.back(place, behind, &mut dirty);
        }
        self.changed(&state);
        drop(state);
        dirty.flush(clock::now());
        Ok(attached)
    }

    fn attach(
        &self,
        seat: &Arc<Seat>,
        link: &Arc<MemberLink>,
        version: u8,
        compression: Option<Compression>,
        received: Option<u64>,
    ) -> Result<(Attached, bool), Code> {
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
                webrtc: self.webrtc,
            })
        };
        let Carried {
            generation,
            ended,
            behind,
        } = seat
            .outlet
            .attach(link, compression.is_some(), received, welcome)
            .map_err(visita_protocol::session::Error::code)?;
        seat.attached(generation);
        let attached = Attached {
            seat: seat.clone(),
            generation,
            ended,
        };
        Ok((attached, behind))
    }

    /// Whose session this is, if the secret proves it.
    pub(crate) fn seat(&self, session: SessionId, secret: &Secret) -> Option<Arc<Seat>> {
        let state = self.lock();
        let entry = state.sessions.get(&session)?;
        entry
            .seat
            .secret
            .matches(secret)
            .then(|| entry.seat.clone())
    }

    /// A session ends in order, by a word beside its connection. Returns whether the secret proves it.
    pub(crate) fn leave(&self, session: SessionId, secret: &Secret) -> bool {
        let mut dirty = Dirty::default();
        let mut state = self.lock();
        let entry = state.sessions.get(&session);
        if !entry.is_some_and(|entry| entry.seat.secret.matches(secret)) {
            return false;
        }
        state.end(session, LeaveReason::Left, &mut dirty);
        self.changed(&state);
        drop(state);
        dirty.flush(clock::now());
        true
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
        let said = body.and_then(|body| state.said(seat, body, &mut dirty));
        if let Err(code) = said {
            let answer = RelayMessage::Error {
                code,
                reply_to: Some(n),
            };
            dirty.add(seat.outlet.send(&Body::from(&answer)));
        }
        self.changed(&state);
        drop(state);
        dirty.flush(clock::now());
        Ok(())
    }

    /// Takes an acknowledgement alone.
    pub(crate) fn acked(seat: &Seat, generation: u64, ack: u64) -> Result<(), Code> {
        seat.outlet
            .acked(generation, ack)
            .map_err(visita_protocol::session::Error::code)
    }

    /// Nothing is heard over a connection that may still be whole, or something is heard again.
    pub(crate) fn quiet(&self, seat: &Seat, generation: u64, quiet: bool) {
        let mut dirty = Dirty::default();
        let mut state = self.lock();
        if !seat.outlet.is_on(generation) {
            return;
        }
        state.quiet(seat.session, quiet, &mut dirty);
        self.changed(&state);
        drop(state);
        dirty.flush(clock::now());
    }

    /// A connection is gone.
    pub(crate) fn gone(&self, seat: &Seat, generation: u64, how: Gone) {
        let mut dirty = Dirty::default();
        let mut state = self.lock();
        if !seat.outlet.detach(generation) {
            return;
        }
        match how {
            Gone::Left => state.end(seat.session, LeaveReason::Left, &mut dirty),
            Gone::Removed => state.end(seat.session, LeaveReason::Removed, &mut dirty),
            // One who is in no room has nothing to come back to.
            Gone::Broken if state.is_idle(seat.session) => {
                state.end(seat.session, LeaveReason::Lost, &mut dirty);
            }
            Gone::Broken => state.lost(seat.session, &mut dirty),
        }
        self.changed(&state);
        drop(state);
        dirty.flush(clock::now());
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

    pub(crate) fn tick(&self, now: Now) {
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
            state.end(id, LeaveReason::Lost, &mut dirty);
        }
        let State { rooms, codes, .. } = &mut *state;
        rooms.tick(now);
        codes.tick(now, |room| rooms.room(room).is_some());
        for floor in state.floors.values() {
            floor.tick(now, &mut dirty);
        }
        state.neighbours.tick(now);
        self.changed(&state);
        drop(state);
        dirty.flush(clock::now());
    }

    /// Says to everybody that the relay ends.
    pub(crate) fn close(&self) {
        let mut dirty = Dirty::default();
        let state = self.lock();
        let closing = Body::from(&RelayMessage::Closing);
        for entry in state.sessions.values() {
            dirty.add(entry.seat.outlet.send(&closing));
        }
        drop(state);
        dirty.flush(clock::now());
    }

    /// Says that lists and people may have changed.
    fn changed(&self, state: &State) {
        let revision = state.rooms.revision();
        self.rooms_changed.send_if_modified(|known| {
            let changed = *known != revision;
            *known = revision;
            changed
        });
        self.people_changed.send_if_modified(|known| {
            let changed = *known != state.people;
            *known = state.people;
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

    /// The room that six digits lead to.
    pub(crate) fn room_of(&self, code: RoomCode) -> Option<(RoomId, RoomKind)> {
        let state = self.lock();
        let room = state.rooms.room(state.codes.room(clock::now(), code)?)?;
        let info = room.info();
        Some((info.id, info.kind))
    }

    /// The same as text, made once for all who ask between two changes.
    pub(crate) fn rooms_text(&self) -> Bytes {
        // Held meanwhile: all others that ask get this one.
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, revision) = (clock::now(), *self.rooms_changed.borrow());
        if let Some((of, at, text)) = &*listed
            && *of == revision
            && now.since(*at) < LIST_LIFE
        {
            return text.clone();
        }
        let text: Bytes = serde_json::to_vec(&self.rooms()).unwrap_or_default().into();
        *listed = Some((revision, now, text.clone()));
        text
    }

    /// Everybody in any room.
    pub(crate) fn people(&self) -> Vec<Person> {
        let state = self.lock();
        let mut people = Vec::new();
        for info in state.rooms.list() {
            let Some(room) = state.rooms.room(info.id) else {
                continue;
            };
            people.extend(room.members().map(|member| {
                Person {
                    member: member.id,
                    name: member.name.clone(),
                    role: member.role,
                    room: info.id,
                    room_name: info.name.clone(),
                    connection: member.connection,
                    line: state
                        .members
                        .get(&member.id)
                        .map(|seat| seat.outlet.line())
                        .unwrap_or_default(),
                }
            }));
        }
        people
    }

    pub(crate) fn gauges(&self) -> Gauges {
        let state = self.lock();
        let mut ways = BTreeMap::new();
        for entry in state.sessions.values() {
            if let (Some(way), Some(control)) = (entry.way, entry.seat.outlet.carried()) {
                *ways.entry((control, way)).or_default() += 1;
            }
        }
        Gauges {
            connections: 0,
            ways,
            sessions: state.sessions.len() as u64,
            rooms: state.rooms.list().len() as u64,
            members: state.members.len() as u64,
        }
    }
}
