//! The `https` carrier: a session's control by plain requests, for browsers and networks that refuse
//! WebSockets. Packets come by POST, one a line; they go out as one stream of server-sent events.
//! It has no media of its own.
//!
//! A hello by POST is answered with the welcome and a token, which all later requests show. What is
//! numbered arrives once and in order, as on every carrier: the events' ids are the numbers, so a
//! stream that was cut goes on where it was, and a POST that comes again does nothing.

mod connection;
mod events;
pub(crate) mod fuzzed;
mod registry;
mod requests;

pub(crate) use registry::Connections;
pub(crate) use requests::{close, events, open, packets};
