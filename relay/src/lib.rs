//! Visita's relay: serves the pages, keeps the rooms, forwards whole encoded frames. It never looks
//! into a payload.
//!
//! [`bind`] a listener, make a [`Relay`] of it and a [`Config`], and [`Relay::serve`] until a
//! shutdown future is over. A [`Handle`] shows a program around it who is connected and where.

mod addresses;
mod advertise;
mod answer;
mod assets;
mod carrier;
mod clock;
pub mod config;
mod door;
mod files;
mod fine;
mod floor;
#[doc(hidden)]
pub mod fuzzed;
mod https;
mod hub;
mod limits;
mod line;
mod listener;
mod lobby;
mod metrics;
mod origin;
mod outlet;
mod patient;
mod relay;
mod seat;
mod session;
mod sockets;
mod steady;
mod tap;
mod tls;
mod trouble;
mod web;
mod webrtc;
mod ws;

pub use addresses::{Address, Addresses};
pub use advertise::SERVICE;
pub use config::{Carriers, Config, Limits};
pub use files::Error as FileError;
pub use hub::Person;
pub use listener::{BindError, bind};
pub use metrics::Traffic;
pub use origin::{BadOrigin, Origin};
pub use outlet::Line;
pub use relay::{Handle, Relay, StartError};
pub use tls::Error as TlsError;
