//! The `webrtc` carrier: a participant's media over UDP (ICE-lite, DTLS-SRTP), by whole frames, and its
//! control where it was or over a channel of the same way. One UDP socket serves all of them ([`Front`]);
//! each has a [`Lane`].

mod again;
mod control;
mod front;
pub(crate) mod fuzzed;
mod header;
mod lane;
mod offer;
mod packets;
mod slots;
mod socket;
mod timeline;

pub(crate) use front::Front;
pub(crate) use lane::Lane;
pub(crate) use offer::{give_up, leave, take};
pub(crate) use slots::{Pair, Slots};
