//! Which frames can be decoded: pure.

use visita_protocol::{frame::References, time::MediaTime};

/// How far back a reference can reach: more than any encoder of ours makes.
const WINDOW: u32 = 64;
/// How often a key frame is asked for again while none comes, in microseconds: longer than the
/// way there and back on a poor line.
const ASK_AGAIN_US: u64 = 1_000_000;

/// Decides from sequence numbers and references alone.
pub(super) struct Gate {
    /// The newest frame seen.
    last: Option<u32>,
    /// The frames decoded among the last [`WINDOW`]: bit n is sequence `newest` − n.
    decoded: u64,
    newest: u32,
    needs_key: bool,
    asked: Option<MediaTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Decode,
    Drop,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            last: None,
            decoded: 0,
            newest: 0,
            needs_key: false,
            asked: None,
        }
    }

    /// What to do with a frame. Frames that are not newer than the last are dropped.
    pub(super) fn verdict(&mut self, sequence: u32, references: References) -> Verdict {
        if self.last.is_some_and(|last| sequence <= last) {
            return Verdict::Drop;
        }
        self.last = Some(sequence);
        if references.is_key() {
            self.decoded = 0;
            return Verdict::Decode;
        }
        let have = |&distance: &u16| {
            sequence
                .checked_sub(u32::from(distance))
                .is_some_and(|reference| self.has(reference))
        };
        if references.distances().iter().all(have) {
            Verdict::Decode
        } else {
            self.lost();
            Verdict::Drop
        }
    }

    /// A frame was decoded.
    pub(super) fn decoded(&mut self, sequence: u32) {
        let ahead = sequence.saturating_sub(self.newest);
        self.decoded = if ahead < WINDOW && self.decoded != 0 {
            self.decoded << ahead
        } else {
            0
        } | 1;
        self.newest = sequence;
        self.needs_key = false;
        self.asked = None;
    }

    /// What was decoded so far is of no more use.
    pub(super) fn lost(&mut self) {
        self.decoded = 0;
        self.needs_key = true;
    }

    /// Whether to ask for a key frame now.
    pub(super) fn asks_for_key(&mut self, now: MediaTime) -> bool {
        let again = self
            .asked
            .is_none_or(|asked| now.0.saturating_sub(asked.0) >= ASK_AGAIN_US);
        let asks = self.needs_key && again;
        if asks {
            self.asked = Some(now);
        }
        asks
    }

    fn has(&self, sequence: u32) -> bool {
        self.newest
            .checked_sub(sequence)
            .is_some_and(|back| back < WINDOW && self.decoded >> back & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(distances: &[u16]) -> References {
        References::new(distances).unwrap()
    }

    fn take(gate: &mut Gate, sequence: u32, references: References) -> Verdict {
        let verdict = gate.verdict(sequence, references);
        if verdict == Verdict::Decode {
            gate.decoded(sequence);
        }
        verdict
    }

    #[test]
    fn nothing_before_a_key_frame() {
        let mut gate = Gate::new();
        assert_eq!(take(&mut gate, 5, to(&[1])), Verdict::Drop);
        assert!(gate.asks_for_key(MediaTime(0)));
        assert!(!gate.asks_for_key(MediaTime(ASK_AGAIN_US - 1)));
        assert!(gate.asks_for_key(MediaTime(ASK_AGAIN_US)));
        assert_eq!(take(&mut gate, 6, References::NONE), Verdict::Decode);
        assert!(!gate.asks_for_key(MediaTime(3 * ASK_AGAIN_US)));
    }

    #[test]
    fn an_upper_layer_may_be_missing() {
        let mut gate = Gate::new();
        take(&mut gate, 10, References::NONE);
        // 11 is of layer 1 and never came; 12 refers to 10.
        assert_eq!(take(&mut gate, 12, to(&[2])), Verdict::Decode);
        assert_eq!(take(&mut gate, 13, to(&[1])), Verdict::Decode);
        // 14, of the base layer, never came: what refers to it is lost, until a key frame.
        assert_eq!(take(&mut gate, 15, to(&[1])), Verdict::Drop);
        assert_eq!(take(&mut gate, 16, to(&[2])), Verdict::Drop);
        assert_eq!(
            take(&mut gate, 17, to(&[5])),
            Verdict::Drop,
            "the decoder was given up"
        );
        assert_eq!(take(&mut gate, 18, References::NONE), Verdict::Decode);
        assert_eq!(take(&mut gate, 19, to(&[1])), Verdict::Decode);
    }

    #[test]
    fn late_and_doubled_frames_are_dropped() {
        let mut gate = Gate::new();
        take(&mut gate, 10, References::NONE);
        assert_eq!(take(&mut gate, 10, References::NONE), Verdict::Drop);
        assert_eq!(take(&mut gate, 9, References::NONE), Verdict::Drop);
        assert_eq!(take(&mut gate, 11, to(&[1])), Verdict::Decode);
        assert!(!gate.asks_for_key(MediaTime(0)));
    }

    #[test]
    fn far_references_and_ends_of_the_numbers_are_safe() {
        let mut gate = Gate::new();
        take(&mut gate, 0, References::NONE);
        assert_eq!(take(&mut gate, 1, to(&[u16::MAX])), Verdict::Drop);
        assert_eq!(
            take(&mut gate, u32::MAX - 1, References::NONE),
            Verdict::Decode
        );
        assert_eq!(take(&mut gate, u32::MAX, to(&[1])), Verdict::Decode);
        let mut gate = Gate::new();
        take(&mut gate, 0, References::NONE);
        assert_eq!(take(&mut gate, 63, to(&[63])), Verdict::Decode);
        assert_eq!(take(&mut gate, 64, to(&[64])), Verdict::Decode);
        assert_eq!(
            take(&mut gate, 65, to(&[65])),
            Verdict::Drop,
            "outside the window"
        );
    }
}
