//! Control messages: JSON, one enum a direction.
//!
//! A [`ClientPacket`] or [`RelayPacket`] is what a carrier carries. The packets `message` in them
//! are numbered from 1, acknowledged, and survive a change of carrier; all else belongs to one
//! connection. Unknown fields are tolerated; an unknown kind of message parses as `Unknown`
//! and is answered with [`Code::UnknownMessage`].

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    code::RoomCode,
    error::Code,
    id::{ClockId, MemberId, RoomId, Secret, SessionId, TrackId},
    media::{Codec, Size, Track},
    name::{ChatText, PersonName, RoomName},
    time::WallMs,
    travel::Travel,
};

/// Who somebody is. One enum everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs beds, visits and the host.
    Staff,
    /// The patient's tablet.
    Bedside,
    /// A visitor.
    Family,
    /// Anybody in a meeting.
    Guest,
}

/// What a room is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// A bed; visits happen in it.
    Bed,
    /// Anyone whom the ward allows.
    Meeting,
}

/// From a participant to the relay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientPacket {
    /// The first packet of every connection.
    Hello(Hello),
    /// A numbered message.
    Message {
        /// Its number, from 1, without gaps.
        #[ts(type = "number")]
        n: u64,
        /// The last number received in order from the other side, 0 for none.
        #[ts(type = "number")]
        ack: u64,
        /// What it says.
        body: ClientMessage,
    },
    /// An acknowledgement alone.
    Ack {
        /// The last number received in order from the other side.
        #[ts(type = "number")]
        ack: u64,
    },
    /// Answered at once by a pong with the same id.
    Ping {
        /// Chosen by the sender.
        id: u32,
    },
}

/// From the relay to a participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RelayPacket {
    /// The answer to a hello.
    Welcome(Welcome),
    /// The connection ends, for this reason. Nothing follows.
    Refused {
        /// Why.
        code: Code,
    },
    /// A numbered message.
    Message {
        /// Its number, from 1, without gaps.
        #[ts(type = "number")]
        n: u64,
        /// The last number received in order from the other side, 0 for none.
        #[ts(type = "number")]
        ack: u64,
        /// What it says.
        body: RelayMessage,
    },
    /// An acknowledgement alone.
    Ack {
        /// The last number received in order from the other side.
        #[ts(type = "number")]
        ack: u64,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's id.
        id: u32,
    },
}

/// The first packet of every connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Hello {
    /// The protocol versions that the participant speaks.
    pub versions: Vec<u8>,
    /// The session to go on with; a new one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub resume: Option<Resume>,
    /// How control messages may be compressed on this connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Compression>>", optional)]
    pub compression: Vec<Compression>,
}

/// Compression of control messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// zstd with version 1's dictionary (`protocol/dictionary/control-v1.zdict`).
    Zstd1,
    /// A compression of a newer version.
    #[serde(other)]
    Unknown,
}

/// Which session to go on with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Resume {
    /// The session, from its welcome.
    pub session: SessionId,
    /// Its secret, from its welcome.
    pub secret: Secret,
    /// The last number received in order from the relay.
    #[ts(type = "number")]
    pub received: u64,
}

/// The answer to a hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Welcome {
    /// The version that both speak from here on.
    pub version: u8,
    /// The session.
    pub session: SessionId,
    /// What resumes it.
    pub secret: Secret,
    /// Whether this goes on with the session that was asked for. A session that can't be resumed
    /// is refused with [`Code::SessionGone`].
    pub resumed: bool,
    /// The last number that the relay received in order; later ones must be sent again.
    #[ts(type = "number")]
    pub received: u64,
    /// Send something at least this often, in milliseconds, or be taken for lost.
    pub heartbeat_ms: u32,
    /// How long a lost session can be resumed, in milliseconds.
    pub grace_ms: u32,
    /// The largest packet or chunk that the relay takes, in bytes.
    pub max_packet: u32,
    /// The compression from here on, in both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub compression: Option<Compression>,
    /// Whether media may go over UDP ([`crate::webrtc`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub webrtc: bool,
}

/// Which room to join.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum RoomChoice {
    /// The room with this identity.
    Id {
        /// From the list of rooms.
        id: RoomId,
    },
    /// The room with this name (compared without case).
    Name {
        /// The name.
        name: RoomName,
        /// What kind to make when there is none; absent: the room must exist. Two who create one
        /// name at once get one room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        create: Option<RoomKind>,
    },
}

/// What a receiver shows of one member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct View {
    /// Whom.
    pub member: MemberId,
    /// At which size in device pixels; `None` = not shown.
    pub size: Option<Size>,
}

/// All that a receiver shows. A new one replaces the one before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Watch {
    /// The size for members that aren't named in `views`; `None` = not shown.
    #[serde(default)]
    pub others: Option<Size>,
    /// The exceptions.
    #[serde(default)]
    pub views: Vec<View>,
}

/// What a participant says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Enter a room. Answered by `joined` or an error.
    Join {
        /// Which.
        room: RoomChoice,
        /// What the person is called.
        name: PersonName,
        /// Who the person is.
        role: Role,
        /// Which codecs the participant can decode, of sound and picture.
        decodes: Vec<Codec>,
        /// What it shows, from the start.
        #[serde(default)]
        watch: Watch,
        /// The machine's clock that its media timestamps are of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        clock: Option<ClockId>,
    },
    /// Leave the room. Answered by `left`.
    Leave,
    /// All tracks that the participant could send now; replaces the list before. Nothing is sent
    /// until the relay's `send` asks for it.
    Tracks {
        /// At most [`crate::frame::MAX_TRACKS`].
        tracks: Vec<Track>,
    },
    /// What the participant shows from now on.
    Watch(Watch),
    /// What the participant can decode from now on.
    Decodes {
        /// Of sound and picture.
        decodes: Vec<Codec>,
    },
    /// What the participant's line to the relay carries of what it sends, from now on.
    Line {
        /// Sound alone: its camera is on, and its picture doesn't pass.
        carries: Carries,
    },
    /// Text for everybody in the room.
    Chat {
        /// What was written.
        text: ChatText,
    },
    /// A reference was lost: a key frame of this track is needed.
    NeedKeyFrame {
        /// The track's owner.
        member: MemberId,
        /// The track.
        track: TrackId,
    },
    /// Six digits that lead into this room are wanted. Answered by `code`.
    MakeCode,
    /// Over what its pictures and sound travel from now on, and why; for the relay's figures alone.
    Way(Travel),
    /// A message of a newer version.
    #[serde(other)]
    Unknown,
}

/// Whether a member can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// Its carrier is up.
    Connected,
    /// Its carrier is gone; it may come back within the grace time.
    Reconnecting,
}

/// What a line carries, in one direction. Each begins with pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Carries {
    /// Pictures, be they fewer or smaller than they were, and sound.
    #[default]
    Pictures,
    /// Sound alone.
    Sound,
    /// What only a newer version knows.
    #[serde(other)]
    Unknown,
}

impl Carries {
    #[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
    fn is_pictures(&self) -> bool {
        *self == Carries::Pictures
    }
}

/// A member as all in the room see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// What the person is called.
    pub name: PersonName,
    /// Who the person is.
    pub role: Role,
    /// What it could send; empty = camera and microphone off.
    pub tracks: Vec<Track>,
    /// Whether it can be reached.
    pub connection: Connection,
    /// What its line to the relay carries of what it sends, as it says.
    #[serde(default, skip_serializing_if = "Carries::is_pictures")]
    #[ts(as = "Option<Carries>", optional)]
    pub line: Carries,
    /// Whose clock its timestamps are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub clock: Option<ClockId>,
}

/// Why a member left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// It said so.
    Left,
    /// It didn't come back within the grace time.
    Lost,
    /// It broke the rules.
    Removed,
    /// A reason of a newer version.
    #[serde(other)]
    Unknown,
}

/// A room as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RoomInfo {
    /// Which.
    pub id: RoomId,
    /// What it is called.
    pub name: RoomName,
    /// What it is for.
    pub kind: RoomKind,
    /// How many are in it.
    pub members: u32,
    /// Whether family waits in it and nobody of the ward (bedside or staff) is with them.
    pub waiting: bool,
    /// When it was opened.
    pub since_ms: WallMs,
}

/// A line of chat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ChatLine {
    /// The line's number in the room, from 1, without gaps.
    #[ts(type = "number")]
    pub seq: u64,
    /// Who wrote it.
    pub from: MemberId,
    /// What the writer was called then; it may have left since.
    pub name: PersonName,
    /// What was written.
    pub text: ChatText,
    /// When the relay took it.
    pub at_ms: WallMs,
}

/// A track that is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SendTrack {
    /// Which of the participant's tracks.
    pub track: TrackId,
    /// The largest size at which anybody shows it; layers above it needn't be sent.
    pub size: Size,
}

/// A member's place in a `webrtc` carrier: two media that the participant offered to receive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Slot {
    /// Whose sound and picture.
    pub member: MemberId,
    /// The sound's media identification (`a=mid` in the offer).
    pub sound: String,
    /// The picture's.
    pub picture: String,
}

/// What the relay says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RelayMessage {
    /// The answer to a join.
    Joined {
        /// The room.
        room: RoomInfo,
        /// Who the participant is in it.
        you: MemberId,
        /// Everybody in it, the participant included.
        members: Vec<Member>,
        /// The last lines of chat.
        chat: Vec<ChatLine>,
    },
    /// The answer to a leave.
    Left,
    /// Somebody came.
    MemberJoined {
        /// Who.
        member: Member,
    },
    /// Somebody's tracks or connection changed.
    MemberChanged {
        /// The member as it is now.
        member: Member,
    },
    /// Somebody is gone.
    MemberLeft {
        /// Who.
        member: MemberId,
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody wrote, the participant itself included.
    Chat(ChatLine),
    /// The tracks to send from now on; others needn't be encoded.
    Send {
        /// Replaces the list before.
        tracks: Vec<SendTrack>,
    },
    /// Somebody needs a key frame of this track of the participant's.
    KeyFrame {
        /// Which.
        track: TrackId,
    },
    /// So much of this track of the participant's gets lost on the way to those who hear it: what
    /// is repeated in its frames follows from it. Nothing does until the relay says so.
    Loss {
        /// Which.
        track: TrackId,
        /// How many packets of a hundred, to the worst of the receivers.
        percent: u8,
    },
    /// The active speaker from now on. Nobody is until the relay says so.
    Speaker {
        /// Who; `None` while nobody speaks.
        member: Option<MemberId>,
    },
    /// What the participant's line carries of what the relay sends, from now on.
    Line {
        /// Sound alone: pictures are left out until the line takes them again.
        carries: Carries,
    },
    /// Whose media comes in which slots of the participant's `webrtc` carrier from now on; of
    /// those that aren't named it comes as frames.
    Slots {
        /// Replaces the list before.
        slots: Vec<Slot>,
    },
    /// Six digits that lead into the room; the answer to `make_code`, to the one who asked alone.
    Code {
        /// The digits.
        code: RoomCode,
        /// For how many seconds they do.
        valid_s: u32,
    },
    /// The relay ends; members may be called back by another host.
    Closing,
    /// Something was refused or failed. The session goes on.
    Error {
        /// What.
        code: Code,
        /// The number of the message that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, type = "number")]
        reply_to: Option<u64>,
    },
    /// A message of a newer version.
    #[serde(other)]
    Unknown,
}

/// What `/api/v1/lobby` says. It only speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LobbyMessage {
    /// All rooms as they are now; sent at once and after each change.
    Rooms {
        /// Oldest first.
        rooms: Vec<RoomInfo>,
        /// The relay's time, to tell how long something has been so.
        now_ms: WallMs,
    },
    /// A message of a newer version.
    #[serde(other)]
    Unknown,
}

mod parse;

pub use parse::{Unreadable, parse_client, parse_relay, write};
