//! What the hub's lock holds, and how it changes.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use visita_protocol::{
    code::Codes,
    control::{ClientMessage, LeaveReason, RelayMessage},
    error::Code,
    id::{MemberId, RoomId, SessionId, TrackId},
    room::{Action, Joining, Place, Rooms},
    session::Lifeline,
    time::Now,
    travel::Travel,
};

use crate::{
    clock,
    floor::Floor,
    limits::Neighbours,
    outlet::{Body, End},
    seat::{self, Dirty, Seat},
};

/// Everything under the hub's lock.
pub(super) struct State {
    pub(super) rooms: Rooms,
    pub(super) sessions: HashMap<SessionId, Entry>,
    pub(super) members: HashMap<MemberId, Arc<Seat>>,
    /// Of rooms with somebody in them.
    pub(super) floors: HashMap<RoomId, Arc<Floor>>,
    pub(super) neighbours: Neighbours,
    pub(super) codes: Codes,
    /// Counts the changes of rooms, members and their connections.
    pub(super) people: u64,
}

/// A session, with or without a connection.
pub(super) struct Entry {
    pub(super) seat: Arc<Seat>,
    /// From where it was opened.
    pub(super) address: IpAddr,
    pub(super) place: Option<Place>,
    pub(super) lifeline: Lifeline,
    /// Since when it is in no room.
    pub(super) idle_since: Now,
    /// Over what its media travels, as it says.
    pub(super) way: Option<Travel>,
}

impl State {
    /// Does what a participant says.
    pub(super) fn said(
        &mut self,
        seat: &Seat,
        body: ClientMessage,
        dirty: &mut Dirty,
    ) -> Result<(), Code> {
        let (now, wall) = (clock::now(), clock::wall());
        let entry = self
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
                let makes = self.rooms.would_open(&room);
                if makes && !self.neighbours.may_make_room(now, entry.address) {
                    return Err(Code::RateLimited);
                }
                let joined = self
                    .rooms
                    .join(now, wall, &room, RoomId(rand::random()), joining)?;
                entry.place = Some(joined.place);
                let member = joined.place.member;
                let floor = self.floors.entry(joined.place.room).or_default().clone();
                entry.seat.seated(Some(seat::Place {
                    member,
                    floor: floor.clone(),
                }));
                let seat = entry.seat.clone();
                self.members.insert(member, seat.clone());
                self.people += 1;
                seat.outlet.told_room();
                self.act(joined.actions, dirty);
                floor.joined(member, role, &seat.outlet, dirty);
                tracing::info!(%member, room = %joined.place.room, "joined");
            }
            (ClientMessage::Join { .. }, Some(_)) => return Err(Code::OutOfTurn),
            (ClientMessage::Leave, Some(place)) => {
                entry.place = None;
                entry.idle_since = now;
                self.leave(place, LeaveReason::Left, dirty);
            }
            (ClientMessage::MakeCode, Some(place)) => {
                let made = self.codes.make(now, place.room, rand::random)?;
                let answer = RelayMessage::Code {
                    code: made.code,
                    // Rounded down: who reads it isn't promised more than there is.
                    valid_s: made.valid.as_secs() as u32,
                };
                dirty.add(seat.outlet.send(&Body::from(&answer)));
            }
            (ClientMessage::Way(way), _) => entry.way = Some(way),
            (ClientMessage::Unknown, _) => return Err(Code::UnknownMessage),
            (_, None) => return Err(Code::NotJoined),
            (body, Some(place)) => {
                let announces = matches!(body, ClientMessage::Tracks { .. });
                let actions = self.rooms.handle(wall, place, body)?;
                if announces {
                    let room = self.rooms.room(place.room);
                    let member = room
                        .and_then(|room| room.members().find(|member| member.id == place.member));
                    let muted = seat.announced(member.map_or(&[], |member| &member.tracks));
                    if let Some(floor) = self.floors.get(&place.room).filter(|_| muted) {
                        floor.muted(now, place.member, dirty);
                    }
                }
                self.act(actions, dirty);
            }
        }
        Ok(())
    }

    /// Carries out what follows from a room's change. Key frames are asked for last, when everybody
    /// knows what to send.
    pub(super) fn act(&mut self, actions: Vec<Action>, dirty: &mut Dirty) {
        let mut key_frames: Vec<(MemberId, TrackId)> = Vec::new();
        for action in actions {
            match action {
                Action::Send { to, message } => {
                    let Some(seat) = self.members.get(&to) else {
                        continue;
                    };
                    let message = match message {
                        RelayMessage::Send { tracks } => seat
                            .wanted(clock::now(), &tracks)
                            .map(|tracks| RelayMessage::Send { tracks }),
                        other => Some(other),
                    };
                    if let Some(message) = message {
                        dirty.add(seat.outlet.send(&Body::from(&message)));
                    }
                }
                Action::Tell { to, message } => {
                    // Written once for all of them.
                    let body = Body::from(&message);
                    for seat in to.iter().filter_map(|to| self.members.get(to)) {
                        dirty.add(seat.outlet.send(&body));
                    }
                }
                Action::Route {
                    receiver,
                    sender,
                    tracks,
                } => {
                    let outlet = self.members.get(&receiver).map(|seat| &seat.outlet);
                    if let Some(outlet) = outlet {
                        let starting = outlet.route(sender, &tracks);
                        dirty.add(outlet.tell_slots());
                        key_frames.extend(starting.into_iter().map(|track| (sender, track)));
                    }
                    if let Some(sender) = self.members.get(&sender) {
                        sender.heard_by(receiver, outlet.filter(|_| !tracks.is_empty()));
                    }
                }
                Action::KeyFrame { sender, track } => key_frames.push((sender, track)),
            }
        }
        for (sender, track) in key_frames {
            if let Some(seat) = self.members.get(&sender) {
                seat.need_key_frame(clock::now(), track, dirty);
            }
        }
    }

    /// A member isn't heard, or is heard again: the others see it so. Its session goes on as it is.
    pub(super) fn quiet(&mut self, session: SessionId, quiet: bool, dirty: &mut Dirty) {
        let place = self.sessions.get(&session).and_then(|entry| entry.place);
        if let Some(place) = place {
            self.people += 1;
            let actions = if quiet {
                self.rooms.lost(place)
            } else {
                self.rooms.back(place)
            };
            self.act(actions, dirty);
        }
    }

    /// A session's connection broke.
    pub(super) fn lost(&mut self, session: SessionId, dirty: &mut Dirty) {
        let Some(entry) = self.sessions.get_mut(&session) else {
            return;
        };
        entry.lifeline.lost(clock::now());
        if let Some(place) = entry.place {
            self.people += 1;
            let actions = self.rooms.lost(place);
            self.act(actions, dirty);
        }
    }

    /// A member's session was resumed. One that missed more than is kept is told how things are.
    pub(super) fn back(&mut self, place: Place, behind: bool, dirty: &mut Dirty) {
        self.people += 1;
        let actions = self.rooms.back(place);
        if let Some(seat) = self.members.get(&place.member).filter(|_| behind) {
            seat.outlet.told_room();
            let joined = self.rooms.joined(place);
            for message in joined.into_iter().chain(seat.told()) {
                dirty.add(seat.outlet.send(&Body::from(&message)));
            }
            if let Some(floor) = self.floors.get(&place.room) {
                floor.tell_again(&seat.outlet, dirty);
            }
        }
        self.act(actions, dirty);
    }

    fn leave(&mut self, place: Place, reason: LeaveReason, dirty: &mut Dirty) {
        self.people += 1;
        let now = clock::now();
        if let Some(floor) = self.floors.get(&place.room) {
            // Before the others know that it went: nobody is told of a speaker who isn't there.
            floor.left(now, place.member, dirty);
            if floor.is_empty() {
                self.floors.remove(&place.room);
            }
        }
        let actions = self.rooms.leave(now, place, reason);
        self.act(actions, dirty);
        if let Some(seat) = self.members.remove(&place.member) {
            seat.seated(None);
        }
        tracing::info!(member = %place.member, ?reason, "left");
    }

    /// A session is over.
    pub(super) fn end(&mut self, session: SessionId, reason: LeaveReason, dirty: &mut Dirty) {
        let Some(entry) = self.sessions.remove(&session) else {
            return;
        };
        self.neighbours.went(entry.address);
        if let Some(place) = entry.place {
            self.leave(place, reason, dirty);
        }
        entry.seat.outlet.end_way();
        entry.seat.outlet.end(End::Over);
    }

    /// Whether the session is in no room.
    pub(super) fn is_idle(&self, session: SessionId) -> bool {
        self.sessions
            .get(&session)
            .is_some_and(|entry| entry.place.is_none())
    }
}
