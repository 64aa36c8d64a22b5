//! A room: who is in it, what they say, and who gets what of whom.
//!
//! Every call gives the [`Action`]s that follow from it, to be carried out in order. [`Rooms`]
//! holds all rooms of a relay and is what a relay talks to.

mod registry;

use std::{collections::VecDeque, time::Duration};

pub use registry::{Joined, Place, Rooms};

use crate::{
    control::{
        Carries, ChatLine, Connection, LeaveReason, Member, RelayMessage, Role, RoomInfo, RoomKind,
        Watch,
    },
    error::Code,
    id::{ClockId, MemberId, RoomId, TrackId},
    media::{Codec, Track},
    name::{ChatText, PersonName, RoomName},
    publisher::{self, Participant, Plan},
    receiver::Selected,
    time::{Now, WallMs},
};

/// How many lines of chat those who come later are shown: an hour of a lively visit.
pub const MAX_HISTORY: usize = 200;

/// And how many bytes of text at most, so that the answer to a join stays small.
pub const MAX_HISTORY_BYTES: usize = 64 * 1024;

/// The most codecs that a participant lists: those that exist, twice over.
pub const MAX_DECODES: usize = 16;

/// The most views that a participant lists: as many as a room has members by default. Views of
/// nobody only cost time when the plan is made.
pub const MAX_VIEWS: usize = 64;

/// What a relay allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rooms at a time.
    pub rooms: usize,
    /// Members of a room, those who may come back included.
    pub members: usize,
    /// How long an empty room stays open.
    pub empty_for: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        // A ward of forty beds, a meeting each besides; a family around one bed, or a meeting
        // of a ward's staff; a minute to come back into a room by its name.
        Self {
            rooms: 128,
            members: 64,
            empty_for: Duration::from_mins(1),
        }
    }
}

/// What a caller must do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send a member a message, numbered in its session.
    Send {
        /// To whom.
        to: MemberId,
        /// What.
        message: RelayMessage,
    },
    /// Send each of these members the same message, numbered in its session.
    Tell {
        /// To whom.
        to: Vec<MemberId>,
        /// What.
        message: RelayMessage,
    },
    /// Give this to [`crate::receiver::Receiver::route`]. A receiver that is gone needs nothing.
    Route {
        /// Whose receiver.
        receiver: MemberId,
        /// Whose tracks.
        sender: MemberId,
        /// All that it gets of them from now on; empty = nothing.
        tracks: Vec<Selected>,
    },
    /// Somebody needs a key frame: tell [`crate::keyframe::Requests`] of the sender.
    KeyFrame {
        /// Whose track.
        sender: MemberId,
        /// Which.
        track: TrackId,
    },
}

/// Somebody who wants to join.
#[derive(Clone, Debug, PartialEq)]
pub struct Joining {
    /// What the person is called.
    pub name: PersonName,
    /// Who the person is.
    pub role: Role,
    /// What it decodes.
    pub decodes: Vec<Codec>,
    /// What it shows.
    pub watch: Watch,
    /// Whose clock its timestamps are of.
    pub clock: Option<ClockId>,
}

struct Present {
    member: Member,
    decodes: Vec<Codec>,
    watch: Watch,
}

impl Present {
    fn connected(&self) -> bool {
        self.member.connection == Connection::Connected
    }
}

/// A room.
pub struct Room {
    id: RoomId,
    name: RoomName,
    /// The name as it is compared.
    folded: String,
    kind: RoomKind,
    since: WallMs,
    most: usize,
    members: Vec<Present>,
    history: VecDeque<ChatLine>,
    history_bytes: usize,
    last_line: u64,
    empty_since: Option<Now>,
    plan: Plan,
}

impl Room {
    /// An empty room for at most `most` members.
    pub fn new(
        now: Now,
        since: WallMs,
        id: RoomId,
        name: RoomName,
        kind: RoomKind,
        most: usize,
    ) -> Self {
        Self {
            id,
            folded: registry::fold(&name),
            name,
            kind,
            since,
            most,
            members: Vec::new(),
            history: VecDeque::new(),
            history_bytes: 0,
            last_line: 0,
            empty_since: Some(now),
            plan: Plan::default(),
        }
    }

    /// The room as lists show it.
    pub fn info(&self) -> RoomInfo {
        let is = |present: &Present, roles: &[Role]| roles.contains(&present.member.role);
        let family = self
            .members
            .iter()
            .any(|p| is(p, &[Role::Family]) && p.connected());
        let ward = self
            .members
            .iter()
            .any(|p| is(p, &[Role::Staff, Role::Bedside]));
        RoomInfo {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind,
            members: self.members.len() as u32,
            waiting: family && !ward,
            since_ms: self.since,
        }
    }

    /// Since when nobody is in it; `None` while somebody is.
    pub fn empty_since(&self) -> Option<Now> {
        self.empty_since
    }

    /// Everybody in it, in the order in which they came.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.members.iter().map(|present| &present.member)
    }

    /// Somebody comes in as `id`, which was never given to anybody before.
    pub fn join(&mut self, id: MemberId, joining: Joining) -> Result<Vec<Action>, Code> {
        let Joining {
            name,
            role,
            decodes,
            watch,
            clock,
        } = joining;
        check_decodes(&decodes)?;
        check_watch(&watch)?;
        if self.members.len() >= self.most {
            return Err(Code::RoomFull);
        }
        let member = Member {
            id,
            name,
            role,
            tracks: vec![],
            connection: Connection::Connected,
            line: Carries::Pictures,
            clock,
        };
        let news = RelayMessage::MemberJoined {
            member: member.clone(),
        };
        self.members.push(Present {
            member,
            decodes,
            watch,
        });
        self.empty_since = None;
        let mut actions = vec![
            Action::Send {
                to: id,
                message: self.joined(id),
            },
            self.tell_others(id, news),
        ];
        self.replan(id, &mut actions);
        Ok(actions)
    }

    /// All that a member has to know of the room now: the answer to its joining, and what it is told
    /// when it was away for too much to be told one by one.
    pub fn joined(&self, id: MemberId) -> RelayMessage {
        RelayMessage::Joined {
            room: self.info(),
            you: id,
            members: self.members().cloned().collect(),
            chat: self.history.iter().cloned().collect(),
        }
    }

    /// A member goes.
    pub fn leave(
        &mut self,
        now: Now,
        id: MemberId,
        reason: LeaveReason,
    ) -> Result<Vec<Action>, Code> {
        let at = self.find(id)?;
        self.members.remove(at);
        if self.members.is_empty() {
            self.empty_since = Some(now);
        }
        let mut actions = Vec::new();
        if reason == LeaveReason::Left {
            actions.push(Action::Send {
                to: id,
                message: RelayMessage::Left,
            });
        }
        actions.push(self.tell_others(id, RelayMessage::MemberLeft { member: id, reason }));
        self.replan(id, &mut actions);
        Ok(actions)
    }

    /// A member's connection broke; it may come back.
    pub fn lost(&mut self, id: MemberId) -> Result<Vec<Action>, Code> {
        self.connection(id, Connection::Reconnecting)
    }

    /// A member's session was resumed. Its receiver starts again at key frames.
    pub fn back(&mut self, id: MemberId) -> Result<Vec<Action>, Code> {
        self.connection(id, Connection::Connected)
    }

    /// A member says what it could send.
    pub fn tracks(&mut self, id: MemberId, tracks: Vec<Track>) -> Result<Vec<Action>, Code> {
        let tracks = publisher::check(tracks)?;
        let at = self.find(id)?;
        if self.members[at].member.tracks == tracks {
            return Ok(vec![]);
        }
        self.members[at].member.tracks = tracks;
        Ok(self.changed(at))
    }

    /// A member says what its line carries of what it sends. What only a newer version knows leads
    /// to nothing.
    pub fn line(&mut self, id: MemberId, carries: Carries) -> Result<Vec<Action>, Code> {
        let at = self.find(id)?;
        if carries == Carries::Unknown || self.members[at].member.line == carries {
            return Ok(vec![]);
        }
        self.members[at].member.line = carries;
        Ok(self.changed(at))
    }

    /// A member says what it shows.
    pub fn watch(&mut self, id: MemberId, watch: Watch) -> Result<Vec<Action>, Code> {
        check_watch(&watch)?;
        let at = self.find(id)?;
        if self.members[at].watch == watch {
            return Ok(vec![]);
        }
        self.members[at].watch = watch;
        let mut actions = Vec::new();
        self.replan(id, &mut actions);
        Ok(actions)
    }

    /// A member says what it decodes.
    pub fn decodes(&mut self, id: MemberId, decodes: Vec<Codec>) -> Result<Vec<Action>, Code> {
        check_decodes(&decodes)?;
        let at = self.find(id)?;
        if self.members[at].decodes == decodes {
            return Ok(vec![]);
        }
        self.members[at].decodes = decodes;
        let mut actions = Vec::new();
        self.replan(id, &mut actions);
        Ok(actions)
    }

    /// A member writes to everybody.
    pub fn chat(
        &mut self,
        wall: WallMs,
        id: MemberId,
        text: ChatText,
    ) -> Result<Vec<Action>, Code> {
        let at = self.find(id)?;
        self.last_line += 1;
        let line = ChatLine {
            seq: self.last_line,
            from: id,
            name: self.members[at].member.name.clone(),
            text,
            at_ms: wall,
        };
        self.history_bytes += line.text.reveal().len();
        self.history.push_back(line.clone());
        while self.history.len() > MAX_HISTORY || self.history_bytes > MAX_HISTORY_BYTES {
            let Some(oldest) = self.history.pop_front() else {
                break;
            };
            self.history_bytes -= oldest.text.reveal().len();
        }
        Ok(vec![Action::Tell {
            to: self.members().map(|member| member.id).collect(),
            message: RelayMessage::Chat(line),
        }])
    }

    /// A member lost a reference. Needs of tracks that it doesn't get (any more) are ignored.
    pub fn need_key_frame(
        &self,
        id: MemberId,
        sender: MemberId,
        track: TrackId,
    ) -> Result<Vec<Action>, Code> {
        self.find(id)?;
        let tracks = self.plan.route(id, sender);
        let gets = tracks.iter().any(|selected| selected.track == track);
        Ok(if gets {
            vec![Action::KeyFrame { sender, track }]
        } else {
            vec![]
        })
    }

    /// What a receiver gets of a sender now.
    pub fn route(&self, receiver: MemberId, sender: MemberId) -> &[Selected] {
        self.plan.route(receiver, sender)
    }

    fn find(&self, id: MemberId) -> Result<usize, Code> {
        self.members
            .iter()
            .position(|present| present.member.id == id)
            .ok_or(Code::NotJoined)
    }

    fn connection(&mut self, id: MemberId, connection: Connection) -> Result<Vec<Action>, Code> {
        let at = self.find(id)?;
        if self.members[at].member.connection == connection {
            return Ok(vec![]);
        }
        self.members[at].member.connection = connection;
        Ok(self.changed(at))
    }

    fn changed(&mut self, at: usize) -> Vec<Action> {
        let member = self.members[at].member.clone();
        let id = member.id;
        let mut actions = vec![self.tell_others(id, RelayMessage::MemberChanged { member })];
        self.replan(id, &mut actions);
        actions
    }

    fn tell_others(&self, but: MemberId, message: RelayMessage) -> Action {
        let others = self.members().map(|member| member.id);
        Action::Tell {
            to: others.filter(|&id| id != but).collect(),
            message,
        }
    }

    /// Somebody came, changed or went: adds what follows for who gets what, first the routes, so
    /// that the first frame that is sent is forwarded.
    fn replan(&mut self, id: MemberId, actions: &mut Vec<Action>) {
        let participants: Vec<_> = self
            .members
            .iter()
            .map(|present| Participant {
                id: present.member.id,
                tracks: &present.member.tracks,
                decodes: &present.decodes,
                watch: &present.watch,
                connected: present.connected(),
            })
            .collect();
        let changes = self.plan.update(&participants, id);
        let routes = changes.routes.into_iter();
        actions.extend(routes.map(|(receiver, sender, tracks)| Action::Route {
            receiver,
            sender,
            tracks,
        }));
        let sends = changes.sends.into_iter();
        actions.extend(sends.map(|(to, tracks)| Action::Send {
            to,
            message: RelayMessage::Send { tracks },
        }));
    }
}

fn check_decodes(decodes: &[Codec]) -> Result<(), Code> {
    if decodes.len() > MAX_DECODES {
        Err(Code::TooLarge)
    } else {
        Ok(())
    }
}

fn check_watch(watch: &Watch) -> Result<(), Code> {
    if watch.views.len() > MAX_VIEWS {
        Err(Code::TooLarge)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
