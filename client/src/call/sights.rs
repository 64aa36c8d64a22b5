//! Whose picture comes and can't be shown. Pure.

use std::{collections::BTreeMap, time::Duration};

use visita_protocol::{id::MemberId, time::Now};

/// Frames that came for so long without one picture can't be opened here. The page counts a
/// picture as standing still after the same time (`ui/platform`).
const HOPELESS: Duration = Duration::from_secs(2);

/// What there is of one member's camera, all its tracks together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// Whether one of its tracks is in a codec that is decoded here.
    pub(super) readable: bool,
    /// Frames that came.
    pub(super) received: u64,
    /// Frames that were decoded.
    pub(super) decoded: u64,
}

/// Everybody's.
#[derive(Default)]
pub(super) struct Sights(BTreeMap<MemberId, Seen>);

struct Seen {
    last: Sight,
    arrived: Now,
    /// Since when frames come and none is decoded.
    hopeless: Option<Now>,
    told: bool,
}

impl Sights {
    /// Looks again; `of` are those who have a camera on. Says whose picture can't be shown, each
    /// once until one of its pictures is.
    pub(super) fn look(
        &mut self,
        now: Now,
        of: impl IntoIterator<Item = (MemberId, Sight)>,
    ) -> Vec<MemberId> {
        let mut before = std::mem::take(&mut self.0);
        let mut unseen = Vec::new();
        for (member, sight) in of {
            let mut seen = before.remove(&member).unwrap_or(Seen {
                last: Sight {
                    received: 0,
                    decoded: 0,
                    ..sight
                },
                arrived: now,
                hopeless: None,
                told: false,
            });
            seen.look(now, sight);
            let hopeless = seen
                .hopeless
                .is_some_and(|since| now.since(since) >= HOPELESS);
            if (!sight.readable || hopeless) && !seen.told {
                seen.told = true;
                unseen.push(member);
            }
            self.0.insert(member, seen);
        }
        unseen
    }
}

impl Seen {
    fn look(&mut self, now: Now, sight: Sight) {
        let readable_again = sight.readable && !self.last.readable;
        if sight.decoded != self.last.decoded || readable_again {
            self.hopeless = None;
            self.told = false;
        } else if sight.received != self.last.received {
            self.hopeless.get_or_insert(now);
        } else if now.since(self.arrived) >= HOPELESS {
            // Nothing comes: that is another matter.
            self.hopeless = None;
        }
        if sight.received != self.last.received {
            self.arrived = now;
        }
        self.last = sight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: MemberId = MemberId(1);

    fn at(ms: u64) -> Now {
        Now(ms * 1_000)
    }

    fn sight(readable: bool, received: u64, decoded: u64) -> [(MemberId, Sight); 1] {
        let sight = Sight {
            readable,
            received,
            decoded,
        };
        [(ANA, sight)]
    }

    #[test]
    fn frames_without_a_picture_are_told_once() {
        let mut sights = Sights::default();
        for turn in 0..=10 {
            let unseen = sights.look(at(turn * 200), sight(true, turn + 1, 0));
            assert_eq!(unseen.is_empty(), turn < 10, "turn {turn}");
        }
        assert!(sights.look(at(9_000), sight(true, 90, 0)).is_empty());
        // A picture, and then none again.
        assert!(sights.look(at(9_200), sight(true, 91, 1)).is_empty());
        assert!(sights.look(at(9_400), sight(true, 92, 1)).is_empty());
        assert_eq!(sights.look(at(11_400), sight(true, 99, 1)), [ANA]);
    }

    #[test]
    fn a_codec_that_is_not_decoded_here_is_told_at_once() {
        let mut sights = Sights::default();
        assert_eq!(sights.look(at(0), sight(false, 0, 0)), [ANA]);
        assert!(sights.look(at(200), sight(false, 0, 0)).is_empty());
        assert!(sights.look(at(400), sight(true, 0, 0)).is_empty());
        assert_eq!(sights.look(at(600), sight(false, 0, 0)), [ANA]);
        // The camera off and on again is a new beginning.
        assert!(sights.look(at(800), []).is_empty());
        assert_eq!(sights.look(at(1_000), sight(false, 0, 0)), [ANA]);
    }

    #[test]
    fn pictures_that_come_or_nothing_that_comes_are_not_told() {
        let mut sights = Sights::default();
        for turn in 0..100 {
            assert!(
                sights
                    .look(at(turn * 200), sight(true, turn, turn))
                    .is_empty()
            );
        }
        for turn in 100..200 {
            assert!(sights.look(at(turn * 200), sight(true, 99, 99)).is_empty());
        }
        // One frame that comes late after a long silence isn't hopeless yet.
        assert!(sights.look(at(41_000), sight(true, 100, 99)).is_empty());
        assert!(sights.look(at(43_500), sight(true, 100, 99)).is_empty());
        assert!(sights.look(at(43_700), sight(true, 101, 99)).is_empty());
    }
}
