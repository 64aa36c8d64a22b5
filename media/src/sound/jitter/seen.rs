//! Which of a sender's last packets came, and how: pure, 32 bits at a time, so that the page's twin
//! (`ui/protocol/seen.js`) counts the same.

/// So many numbers back are remembered: more than any packet repeats.
const REMEMBERED: u32 = 32;
/// A gap of more numbers isn't filled any more: 200 ms, after which the plan begins behind it.
const MOST_MISSED: u32 = 10;

/// What came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    highest: Option<u32>,
    /// Bit 0 is the highest number, bit 1 the one before it, and so on.
    came: u32,
    /// Those that came only as a copy, with a newer one.
    copied: u32,
}

impl Seen {
    /// The highest number that came.
    pub(super) fn highest(&self) -> Option<u32> {
        self.highest
    }

    /// A packet came by itself. Answers whether it is known by a copy.
    pub(super) fn packet(&mut self, sequence: u32) -> bool {
        self.up_to(sequence);
        let bit = self.bit(sequence);
        let known = self.copied & bit != 0;
        self.came |= bit;
        self.copied &= !bit;
        known
    }

    /// A copy came. Answers whether it is of one that didn't come.
    pub(super) fn copy(&mut self, sequence: u32) -> bool {
        // What was before the first, or before a long gap, isn't missed.
        let missed = self
            .highest
            .is_some_and(|highest| sequence.saturating_sub(highest) <= MOST_MISSED);
        if !missed {
            return false;
        }
        self.up_to(sequence);
        let bit = self.bit(sequence);
        let missing = bit != 0 && self.came & bit == 0;
        self.came |= bit;
        self.copied |= if missing { bit } else { 0 };
        missing
    }

    fn up_to(&mut self, sequence: u32) {
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            self.came = u32::MAX;
            return;
        };
        let Some(more) = sequence.checked_sub(highest).filter(|more| *more > 0) else {
            return;
        };
        self.highest = Some(sequence);
        if more > MOST_MISSED {
            (self.came, self.copied) = (u32::MAX, 0);
        } else {
            self.came <<= more;
            self.copied <<= more;
        }
    }

    /// None beyond what is remembered.
    fn bit(&self, sequence: u32) -> u32 {
        let back = self.highest.unwrap_or_default().saturating_sub(sequence);
        if back < REMEMBERED { 1 << back } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_counts_once_and_only_where_something_is_missing() {
        let mut seen = Seen::default();
        assert!(!seen.copy(6), "nobody misses what was before the first");
        assert!(!seen.packet(7));
        assert!(!seen.copy(6));
        assert!(!seen.copy(7));
        // 8 and 9 are missing when 10 comes.
        assert!(seen.copy(8) && seen.copy(9));
        assert!(!seen.copy(9));
        assert!(!seen.packet(10));
        // They come after all.
        assert!(seen.packet(8));
        assert!(!seen.packet(8));
        assert!(!seen.packet(12));
        assert!(!seen.copy(10));
        assert!(seen.copy(11));
        assert_eq!(seen.highest(), Some(12));
    }

    #[test]
    fn what_is_far_back_or_behind_a_long_gap_is_not_missed() {
        let mut seen = Seen::default();
        seen.packet(100);
        assert!(!seen.copy(500));
        seen.packet(501);
        assert!(!seen.copy(499) && !seen.copy(500));
        seen.packet(503);
        assert!(!seen.copy(0));
        assert!(seen.copy(502));
        seen.packet(u32::MAX);
        assert!(!seen.copy(u32::MAX - 1));
    }
}
