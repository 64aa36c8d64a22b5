//! One track on its way to one receiver: which layer, and what was sent of it.

use std::time::Duration;

use super::{ALL_LAYERS, KEY_FRAME_EVERY, Level, Reason, Selected};
use crate::{
    frame::Header,
    id::{MemberId, TrackId},
    media::Kind,
    time::Now,
};

/// How many frames back a reference can reach: 4 s of 30 pictures a second in two layers.
const WINDOW: u32 = 256;

/// A layer of which nothing came for this long isn't sent any more by its publisher: another one
/// is better than a picture that stands still. Longer than any pause between two pictures of a
/// slow camera.
const LAYER_GONE: Duration = Duration::from_millis(700);

/// A frame that isn't sent.
pub(super) struct Dropped {
    pub(super) reason: Reason,
    pub(super) key_frame: bool,
}

/// A frame that isn't sent, and of which nothing follows.
pub(super) fn dropped(reason: Reason) -> Dropped {
    Dropped {
        reason,
        key_frame: false,
    }
}

/// Which of the last frames were queued and not thrown away.
#[derive(Default)]
struct Window {
    newest: Option<u32>,
    bits: [u64; WINDOW as usize / 64],
}

impl Window {
    fn slot(sequence: u32) -> (usize, u64) {
        let at = sequence % WINDOW;
        (at as usize / 64, 1 << (at % 64))
    }

    fn reaches(&self, sequence: u32) -> bool {
        self.newest
            .is_some_and(|newest| sequence <= newest && newest - sequence < WINDOW)
    }

    fn has(&self, sequence: u32) -> bool {
        let (word, bit) = Self::slot(sequence);
        self.reaches(sequence) && self.bits[word] & bit != 0
    }

    /// Marks a frame that is newer than all before.
    fn mark(&mut self, sequence: u32) {
        let skipped = self.newest.map_or(WINDOW, |newest| sequence - newest);
        if skipped >= WINDOW {
            self.bits = Default::default();
        } else {
            for passed in sequence - skipped + 1..sequence {
                let (word, bit) = Self::slot(passed);
                self.bits[word] &= !bit;
            }
        }
        let (word, bit) = Self::slot(sequence);
        self.bits[word] |= bit;
        self.newest = Some(sequence);
    }

    fn unmark(&mut self, sequence: u32) {
        if self.reaches(sequence) {
            let (word, bit) = Self::slot(sequence);
            self.bits[word] &= !bit;
        }
    }
}

pub(super) struct Stream {
    pub(super) sender: MemberId,
    pub(super) track: TrackId,
    pub(super) kind: Kind,
    /// The layer that covers the size shown.
    pub(super) target: u8,
    /// Whether the publisher sends upper temporal layers.
    pub(super) has_upper_temporal: bool,
    /// The layer that is sent, since a key frame of it was.
    current: Option<u8>,
    /// When a frame of the current layer last came.
    current_seen: Now,
    last_key: Option<Now>,
    window: Window,
}

impl Stream {
    pub(super) fn new(sender: MemberId, selected: Selected) -> Self {
        Self {
            sender,
            track: selected.track,
            kind: selected.kind,
            target: selected.layer,
            has_upper_temporal: false,
            current: None,
            current_seen: Now::default(),
            last_key: None,
            window: Window::default(),
        }
    }

    /// Nothing that was sent counts any more; sequences go on.
    pub(super) fn restart(&mut self) {
        self.current = None;
        self.last_key = None;
        self.window.bits = Default::default();
    }

    /// Whether the layer and the level let this frame through.
    pub(super) fn choose(
        &mut self,
        now: Now,
        level: Level,
        header: &Header,
    ) -> Result<(), Dropped> {
        let layer = header.layer;
        let key = header.references.is_key();
        self.has_upper_temporal |= layer.temporal > 0;
        if level == Level::SoundOnly {
            return Err(dropped(Reason::SoundOnly));
        }
        let wanted = if level >= Level::LowSpatial {
            0
        } else {
            self.target
        };
        if self.current == Some(layer.spatial) {
            self.current_seen = now;
        } else if self.current.is_some() && now.since(self.current_seen) > LAYER_GONE {
            self.current = None;
        }
        if level >= Level::BaseTemporal && layer.temporal > 0 {
            return Err(dropped(Reason::Temporal));
        }
        if level == Level::KeyFrames {
            let due = self
                .last_key
                .is_none_or(|last| now.since(last) >= KEY_FRAME_EVERY);
            if !key || !due {
                let key_frame = due && !key && layer.spatial == wanted;
                return Err(Dropped {
                    reason: Reason::KeyFramesOnly,
                    key_frame,
                });
            }
        }
        if self.target == ALL_LAYERS {
            let cut = level >= Level::LowSpatial && layer.spatial > 0;
            return if cut {
                Err(dropped(Reason::Spatial))
            } else {
                Ok(())
            };
        }
        let here = self.current == Some(layer.spatial);
        let better = layer.spatial == wanted || self.current.is_none() && layer.spatial < wanted;
        match (here, better, key) {
            (true, _, _) | (_, true, true) => Ok(()),
            (_, true, false) => {
                let reason = if self.current.is_none() {
                    Reason::Reference
                } else {
                    Reason::Spatial
                };
                Err(Dropped {
                    reason,
                    key_frame: true,
                })
            }
            (false, false, _) => Err(dropped(Reason::Spatial)),
        }
    }

    /// Marks the frame as sent, if its turn has not passed and all that it refers to was sent.
    pub(super) fn take(&mut self, header: &Header) -> Result<(), Dropped> {
        if self
            .window
            .newest
            .is_some_and(|newest| header.sequence <= newest)
        {
            return Err(dropped(Reason::Late));
        }
        if !self.delivered_all(header) {
            return Err(Dropped {
                reason: Reason::Reference,
                key_frame: true,
            });
        }
        self.window.mark(header.sequence);
        Ok(())
    }

    /// A picture is on its way.
    pub(super) fn taken(&mut self, now: Now, header: &Header) {
        if header.references.is_key() {
            self.current = Some(header.layer.spatial);
            self.current_seen = now;
            self.last_key = Some(now);
        }
    }

    /// Whether all that the frame refers to was sent or waits to be.
    pub(super) fn delivered_all(&self, header: &Header) -> bool {
        header.references.distances().iter().all(|&distance| {
            header
                .sequence
                .checked_sub(u32::from(distance))
                .is_some_and(|back| self.window.has(back))
        })
    }

    /// A frame that waited is thrown away.
    pub(super) fn undeliver(&mut self, sequence: u32) {
        self.window.unmark(sequence);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        /// The window says the same as a set of all that was marked and not unmarked, as far as
        /// it reaches.
        #[test]
        fn the_window_remembers_what_a_set_would(
            steps in vec((prop_oneof![4 => 1..3_u32, 1 => 100..600_u32], 0..300_u32), 0..100),
        ) {
            let mut window = Window::default();
            let mut set = HashSet::new();
            let mut newest = 0;
            for (skip, back) in steps {
                newest += skip;
                window.mark(newest);
                set.insert(newest);
                if back % 3 == 0 && back <= newest {
                    window.unmark(newest - back);
                    set.remove(&(newest - back));
                }
                for back in 0..WINDOW.min(newest + 1) {
                    let sequence = newest - back;
                    prop_assert_eq!(window.has(sequence), set.contains(&sequence), "{}", sequence);
                }
                prop_assert!(!window.has(newest + 1));
                prop_assert!(newest < WINDOW || !window.has(newest - WINDOW));
            }
        }
    }
}
