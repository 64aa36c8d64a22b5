//! All rooms of a relay.

use super::{Action, Joining, Limits, Room};
use crate::{
    control::{ClientMessage, LeaveReason, RelayMessage, RoomChoice, RoomInfo, RoomKind},
    error::Code,
    id::{MemberId, RoomId},
    name::RoomName,
    time::{Now, WallMs},
};

/// Where a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// In which room.
    pub room: RoomId,
    /// As whom.
    pub member: MemberId,
}

/// Somebody came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// Where, and as whom.
    pub place: Place,
    /// What follows.
    pub actions: Vec<Action>,
}

/// All rooms. Kept under one lock: it is asked for control messages only, never for frames, and
/// so finding a room, opening it and coming in are one step that nobody gets between.
///
/// The caller carries out a call's actions before the next call, or members are told things in
/// the wrong order.
pub struct Rooms {
    limits: Limits,
    /// Oldest first.
    all: Vec<Room>,
    last_member: u32,
    listed: Vec<RoomInfo>,
    revision: u64,
}

impl Rooms {
    /// No rooms.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            all: Vec::new(),
            last_member: 0,
            listed: Vec::new(),
            revision: 0,
        }
    }

    /// Opens a room, or finds the one of this name. `fresh` is a random identity, used for a new
    /// room.
    pub fn open(
        &mut self,
        now: Now,
        wall: WallMs,
        name: &RoomName,
        kind: RoomKind,
        fresh: RoomId,
    ) -> Result<RoomId, Code> {
        let at = self.find_or_open(now, wall, name, Some(kind), fresh)?;
        Ok(self.all[at].id)
    }

    /// Somebody comes into a room, which is opened if the choice says so. `fresh` is a random
    /// identity, used for a new room.
    pub fn join(
        &mut self,
        now: Now,
        wall: WallMs,
        choice: &RoomChoice,
        fresh: RoomId,
        joining: Joining,
    ) -> Result<Joined, Code> {
        let at = match choice {
            RoomChoice::Id { id } => self.at(*id).ok_or(Code::RoomMissing)?,
            RoomChoice::Name { name, create } => {
                self.find_or_open(now, wall, name, *create, fresh)?
            }
        };
        let member = MemberId(self.last_member.checked_add(1).ok_or(Code::Busy)?);
        let room = self.all[at].id;
        let actions = self.all[at].join(member, joining)?;
        self.last_member = member.0;
        self.relist(at);
        Ok(Joined {
            place: Place { room, member },
            actions,
        })
    }

    /// Whether joining with this choice opens a new room.
    pub fn would_open(&self, choice: &RoomChoice) -> bool {
        let RoomChoice::Name {
            name,
            create: Some(_),
        } = choice
        else {
            return false;
        };
        let folded = fold(name);
        self.all.iter().all(|room| room.folded != folded)
    }

    /// A member goes: by its own will, lost for good, or removed.
    pub fn leave(&mut self, now: Now, place: Place, reason: LeaveReason) -> Vec<Action> {
        self.change(place, |room| room.leave(now, place.member, reason))
            .unwrap_or_default()
    }

    /// A member's connection broke; it may come back.
    pub fn lost(&mut self, place: Place) -> Vec<Action> {
        self.change(place, |room| room.lost(place.member))
            .unwrap_or_default()
    }

    /// A member's session was resumed.
    pub fn back(&mut self, place: Place) -> Vec<Action> {
        self.change(place, |room| room.back(place.member))
            .unwrap_or_default()
    }

    /// All that a member has to know of its room now, see [`Room::joined`].
    pub fn joined(&self, place: Place) -> Option<RelayMessage> {
        self.room(place.room).map(|room| room.joined(place.member))
    }

    /// A member says something; all but joining and leaving, which change where it is, and asking
    /// for a code ([`crate::code`]).
    pub fn handle(
        &mut self,
        wall: WallMs,
        place: Place,
        message: ClientMessage,
    ) -> Result<Vec<Action>, Code> {
        let member = place.member;
        let at = self.at(place.room).ok_or(Code::NotJoined)?;
        let room = &mut self.all[at];
        // None of this is shown in lists.
        match message {
            ClientMessage::Tracks { tracks } => room.tracks(member, tracks),
            ClientMessage::Line { carries } => room.line(member, carries),
            ClientMessage::Watch(watch) => room.watch(member, watch),
            ClientMessage::Decodes { decodes } => room.decodes(member, decodes),
            ClientMessage::Chat { text } => room.chat(wall, member, text),
            ClientMessage::NeedKeyFrame {
                member: sender,
                track,
            } => room.need_key_frame(member, sender, track),
            ClientMessage::Join { .. }
            | ClientMessage::Leave
            | ClientMessage::MakeCode
            | ClientMessage::Way(_) => Err(Code::OutOfTurn),
            ClientMessage::Unknown => Err(Code::UnknownMessage),
        }
    }

    /// Closes rooms that were empty for long enough.
    pub fn tick(&mut self, now: Now) {
        self.close_empty(now);
    }

    /// When [`Rooms::tick`] has something to do next.
    pub fn next(&self) -> Option<Now> {
        let empty = self.all.iter().filter_map(Room::empty_since);
        empty.map(|since| since.plus(self.limits.empty_for)).min()
    }

    /// The rooms as they are shown, oldest first.
    pub fn list(&self) -> &[RoomInfo] {
        &self.listed
    }

    /// Changes whenever [`Rooms::list`] does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// A room.
    pub fn room(&self, id: RoomId) -> Option<&Room> {
        self.at(id).map(|at| &self.all[at])
    }

    fn at(&self, id: RoomId) -> Option<usize> {
        self.all.iter().position(|room| room.id == id)
    }

    fn find_or_open(
        &mut self,
        now: Now,
        wall: WallMs,
        name: &RoomName,
        create: Option<RoomKind>,
        fresh: RoomId,
    ) -> Result<usize, Code> {
        let folded = fold(name);
        if let Some(at) = self.all.iter().position(|room| room.folded == folded) {
            return Ok(at);
        }
        let kind = create.ok_or(Code::RoomMissing)?;
        if self.at(fresh).is_some() {
            return Err(Code::Internal);
        }
        if self.all.len() >= self.limits.rooms {
            return Err(Code::TooManyRooms);
        }
        self.all.push(Room::new(
            now,
            wall,
            fresh,
            name.clone(),
            kind,
            self.limits.members,
        ));
        self.relist_all();
        Ok(self.all.len() - 1)
    }

    fn change(
        &mut self,
        place: Place,
        act: impl FnOnce(&mut Room) -> Result<Vec<Action>, Code>,
    ) -> Result<Vec<Action>, Code> {
        let at = self.at(place.room).ok_or(Code::NotJoined)?;
        let outcome = act(&mut self.all[at]);
        self.relist(at);
        outcome
    }

    fn close_empty(&mut self, now: Now) {
        let empty_for = self.limits.empty_for;
        self.all.retain(|room| {
            room.empty_since()
                .is_none_or(|since| now.since(since) < empty_for)
        });
        if self.all.len() != self.listed.len() {
            self.relist_all();
        }
    }

    /// A room may have to be shown differently.
    fn relist(&mut self, at: usize) {
        let info = self.all[at].info();
        if self.listed[at] != info {
            self.listed[at] = info;
            self.revision += 1;
        }
    }

    /// A room was opened or closed.
    fn relist_all(&mut self) {
        self.listed = self.all.iter().map(Room::info).collect();
        self.revision += 1;
    }
}

/// A name as it is compared: without case.
pub(super) fn fold(name: &RoomName) -> String {
    name.reveal().to_lowercase()
}
