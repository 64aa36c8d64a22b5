//! What can go wrong, as codes that stay the same between versions. The words for people belong
//! to the one who shows them, in their language; a code is what travels.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A refusal or failure told over the wire.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    TS,
    thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// None of the offered protocol versions is spoken here.
    #[error("no protocol version in common: update the older side")]
    Version,
    /// The message isn't valid JSON of the expected shape, or the frame's header isn't valid.
    #[error("the message can't be read")]
    Malformed,
    /// The message or frame is larger than the limit.
    #[error("the message is larger than this relay allows")]
    TooLarge,
    /// The message's kind isn't known to this version.
    #[error("this relay doesn't know that kind of message")]
    UnknownMessage,
    /// A message came out of turn: before the hello, a second join, a gap in the numbers.
    #[error("the message came out of turn")]
    OutOfTurn,
    /// More messages or frames a second than the limit.
    #[error("too many messages; slow down")]
    RateLimited,
    /// Too many connections, in all or from this address.
    #[error("this relay has no room for more connections")]
    Busy,
    /// The session can't be resumed: unknown, expired, or a wrong secret.
    #[error("the session is over; join again")]
    SessionGone,
    /// No such room.
    #[error("there is no such room")]
    RoomMissing,
    /// Six digits that lead nowhere: wrong, or not valid any more.
    #[error("this code leads nowhere, or not any more")]
    CodeUnknown,
    /// The room has as many members as the limit allows.
    #[error("the room is full")]
    RoomFull,
    /// The relay has as many rooms as the limit allows.
    #[error("this relay has no place for another room")]
    TooManyRooms,
    /// The member isn't in a room, and what it asked needs one.
    #[error("join a room first")]
    NotJoined,
    /// A name with nothing in it.
    #[error("the name is empty")]
    NameEmpty,
    /// A name that is too long.
    #[error("the name is longer than 80 characters")]
    NameTooLong,
    /// A chat message with nothing in it.
    #[error("the message is empty")]
    ChatEmpty,
    /// A chat message that is too long.
    #[error("the message is longer than 2,000 characters")]
    ChatTooLong,
    /// A frame for a track that its sender never announced.
    #[error("no such track of yours")]
    TrackMissing,
    /// Too many tracks, or two with one number.
    #[error("the list of tracks isn't valid")]
    BadTracks,
    /// The one who asked isn't allowed to do this.
    #[error("not allowed")]
    Forbidden,
    /// The request's origin isn't on the allow-list.
    #[error("this page's origin isn't allowed here")]
    Origin,
    /// The other side was silent for too long.
    #[error("nothing was heard for too long")]
    Timeout,
    /// Another connection took this session over.
    #[error("the session goes on over another connection")]
    Replaced,
    /// The relay is shutting down.
    #[error("the host is ending its service")]
    ShuttingDown,
    /// A fault of the relay's own.
    #[error("the relay failed; try again")]
    Internal,
    /// A code of a newer version.
    #[serde(other)]
    #[error("an error that this version doesn't know")]
    Other,
}
