//! The way of decoded pictures into the page: a binary WebSocket on 127.0.0.1, by far the fastest
//! way into the web view (ARCHITECTURE.md).
//!
//! The page says whose pictures it shows and at which size; the newest picture goes out, and the
//! next one of that member only when the page has painted it. So a slow page is never more than
//! one picture for each tile behind, whatever the camera does.
//!
//! A message to the page is a picture. All numbers are big-endian:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 1 | version, 1 |
//! | 1 | 3 | 0 |
//! | 4 | 4 | member, 0 for the own camera |
//! | 8 | 2 | width |
//! | 10 | 2 | height |
//! | 12 | 4 | 0 |
//! | 16 | 8 | media timestamp, microseconds on the sender's clock |
//! | 24 | 4 × width × height | RGBA |

mod board;
mod captured;
mod server;
mod tiles;

pub use board::Board;
pub use captured::Captured;
pub use server::{Endpoint, serve};
pub use tiles::Shown;

/// The own camera, where members are numbered. The relay numbers members from 1.
pub const SELF: u32 = 0;
