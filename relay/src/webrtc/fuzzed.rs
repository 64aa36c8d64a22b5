//! What fuzzing does to offers, and to the edge of RTP.

use std::time::Instant;

use str0m::change::SdpAnswer;

pub(crate) use super::lane::fuzzed::rtp;
use super::{
    lane::fuzzed::relay_end,
    offer::{negotiate, read},
};

/// Takes what is posted, or a session description alone. Panics where a rule is broken: what is
/// answered can be read, has as many media as the offer, and names only slots that were offered.
pub(crate) fn offer(bytes: &[u8]) {
    let posted = read(bytes).map(|offer| offer.sdp);
    let Some(sdp) = posted.or_else(|| String::from_utf8(bytes.to_vec()).ok()) else {
        return;
    };
    let Some(mut rtc) = relay_end(Instant::now()) else {
        return;
    };
    let Some((answer, pairs)) = negotiate(&mut rtc, &sdp) else {
        return;
    };
    assert!(
        SdpAnswer::from_sdp_string(&answer).is_ok(),
        "what is answered can be read: {answer}"
    );
    let media = |sdp: &str| sdp.lines().filter(|line| line.starts_with("m=")).count();
    assert_eq!(media(&answer), media(&sdp), "each medium is answered");
    for pair in pairs {
        for mid in [pair.sound, pair.picture] {
            assert!(sdp.contains(&format!("a=mid:{mid}")), "a slot was offered");
        }
    }
}
