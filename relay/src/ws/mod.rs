//! The `ws` carrier's lowest part: WebSockets written straight into a connection's TLS.

mod codec;
mod link;
mod upgrade;

pub(crate) use codec::{Decoder, Error, Event};
pub(crate) use link::{BUFFER, Batch, Link, Outgoing, Queue};
pub(crate) use upgrade::{Raw, Refused, upgrade};
