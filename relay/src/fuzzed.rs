//! Where fuzzing gets at what stands at the relay's edges (`fuzz/`). No part of what the relay is for:
//! each takes any bytes, and panics where they break a rule.

use crate::{https, webrtc};

/// What is posted as an offer, or its session description alone.
pub fn offer(bytes: &[u8]) {
    webrtc::fuzzed::offer(bytes);
}

/// A script of RTP packets.
pub fn rtp(bytes: &[u8]) {
    webrtc::fuzzed::rtp(bytes);
}

/// A script of requests of the `https` carrier.
pub fn https(bytes: &[u8]) {
    https::fuzzed::requests(bytes);
}
