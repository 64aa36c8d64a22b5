//! Which counters of one key came already.

/// How far back counters are remembered: what is older counts as come. Two seconds of sound or of a
/// picture in two layers, and no carrier waits so long for what it lost.
pub(super) const REMEMBERED: u64 = u128::BITS as u64;

/// The highest counter that came, and which of those below it.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// One above the highest; 0 before the first one. (It can't be 2^64: that one counts as come.)
    end: u64,
    /// Bit n: whether `end - 1 - n` came.
    came: u128,
}

impl Window {
    /// Whether the counter came, or is too old to tell.
    pub(super) fn saw(&self, ctr: u64) -> bool {
        if ctr >= self.end {
            return ctr == u64::MAX;
        }
        let back = self.end - 1 - ctr;
        back >= REMEMBERED || self.came >> back & 1 == 1
    }

    /// The counter came. It must not have been seen.
    pub(super) fn mark(&mut self, ctr: u64) {
        if ctr >= self.end {
            let shift = ctr + 1 - self.end;
            self.came = if shift < REMEMBERED {
                self.came << shift
            } else {
                0
            };
            self.end = ctr + 1;
        }
        self.came |= 1 << (self.end - 1 - ctr);
    }
}
