//! What holds for any input and any order of events.

#![allow(clippy::unwrap_used, clippy::expect_used)] // also in what the tests are made of

mod bytes;
mod packets;
mod receivers;
mod redundancy;
mod rooms;
mod sealed;
mod sessions;
mod speakers;
mod ways;
