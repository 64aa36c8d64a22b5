//! What is fuzzed. Each target takes any bytes, and panics where a rule is broken. The workspace's tests
//! play the corpora through the same functions (`tests/tests/fuzzed.rs`).

mod sframe;

pub use sframe::sframe;
pub use visita_relay::fuzzed::{https, offer, rtp};
