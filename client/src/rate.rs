//! How many bits a second camera and microphone may take, by how the way to the host fares: pure.
//!
//! Down at once when frames wait, up again slowly when none do. Fewer bits make a coarser picture
//! of the same size; when they are too few for the size, the picture gets smaller too. What
//! doesn't fit even so is dropped up to a key frame by the queues themselves. Sound is the last to
//! give way and the first to come back.

use std::time::Duration;

use visita_protocol::{media::Size, time::Now};

/// Frames that wait this long show a line that can't follow: three pictures' time at 30 a second.
const LATE: Duration = Duration::from_millis(100);
/// Frames that wait no longer than this show one that can.
const CALM: Duration = Duration::from_millis(35);
/// After a change, this long until the next one down: the encoder and the queue need that long to
/// show its effect.
const SETTLE: Duration = Duration::from_millis(500);
/// How long the line must be calm before each step up.
const PATIENCE: Duration = Duration::from_secs(2);
/// Frames that wait this long show one that carries far less than it is given: sound waits too.
const VERY_LATE: Duration = Duration::from_millis(400);
/// A step down (TCP's own factor under CUBIC), a large one, and a step up.
const DOWN: f64 = 0.7;
const FAR_DOWN: f64 = 0.4;
const UP: f64 = 1.15;
/// Some pictures a second of half the size. With fewer bits faces can't be told apart; the rest is
/// left to the dropping of frames. With sound's packets it makes 110 kbit/s on the line.
const LEAST: u32 = 40_000;

/// What the way to the host shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// How long frames wait, here or on the way.
    pub age: Duration,
    /// How many frames were thrown away so far because it was slow.
    pub dropped: u64,
    /// How many frames of sound wait.
    pub sound: usize,
    /// How many frames of sound were thrown away so far.
    pub sound_dropped: u64,
}

/// What the encoder should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Bits a second.
    pub bits: u32,
    /// The picture's sides, in eighths of the full ones.
    pub eighths: u16,
}

/// The rule.
#[derive(Clone, Debug)]
pub struct Rate {
    most: u32,
    setting: Setting,
    changed: Option<Now>,
    calm_since: Option<Now>,
    dropped: u64,
}

impl Rate {
    /// Begins at `most` bits a second, what the full picture takes on a good line.
    pub fn new(most: u32) -> Self {
        let setting = Setting {
            bits: most,
            eighths: 8,
        };
        Self {
            most,
            setting,
            changed: None,
            calm_since: None,
            dropped: 0,
        }
    }

    /// The full picture takes `most` bits a second from now on, because its size changed: what
    /// the line takes of it stays in proportion.
    pub fn rebase(&mut self, most: u32) {
        let share = f64::from(self.setting.bits) / f64::from(self.most.max(1));
        self.most = most;
        self.setting.bits = ((f64::from(most) * share) as u32).clamp(LEAST.min(most), most);
    }

    /// What holds now.
    pub fn setting(&self) -> Setting {
        self.setting
    }

    /// Whether the picture gave all that it can give.
    pub fn is_least(&self) -> bool {
        self.setting.bits <= LEAST.min(self.most)
    }

    /// Whether the line showed that it doesn't carry the full picture.
    pub fn is_slowed(&self) -> bool {
        self.setting.bits < self.most
    }

    /// Looks at the line, some times a second; gives what the encoder should do from now on, if
    /// that changed.
    pub fn turn(&mut self, now: Now, line: Line) -> Option<Setting> {
        let dropping = line.dropped > self.dropped;
        self.dropped = line.dropped;
        let bits = f64::from(self.setting.bits);
        if line.age > LATE || dropping {
            self.calm_since = None;
            if self
                .changed
                .is_some_and(|changed| now.since(changed) < SETTLE)
            {
                return None;
            }
            let down = if line.age > VERY_LATE { FAR_DOWN } else { DOWN };
            return self.set(now, (bits * down) as u32);
        }
        if line.age > CALM {
            self.calm_since = None;
            return None;
        }
        let calm_since = *self.calm_since.get_or_insert(now);
        if self.setting.bits == self.most || now.since(calm_since) < PATIENCE {
            return None;
        }
        self.calm_since = Some(now);
        self.set(now, (bits * UP) as u32)
    }

    fn set(&mut self, now: Now, bits: u32) -> Option<Setting> {
        let bits = bits.clamp(LEAST.min(self.most), self.most);
        // Half the size when the bits are under a third of what the full one takes, and full
        // again only above a half, so that it doesn't flicker between the two.
        let eighths = match self.setting.eighths {
            8 if bits < self.most / 3 => 4,
            4 if bits > self.most / 2 => 8,
            eighths => eighths,
        };
        let setting = Setting { bits, eighths };
        if setting == self.setting {
            return None;
        }
        self.setting = setting;
        self.changed = Some(now);
        Some(setting)
    }
}

impl Setting {
    /// A size that was wanted, made as small as the line needs it.
    pub fn cap(self, full: Size, wanted: Size) -> Size {
        let side = |side: u16| (u32::from(side) * u32::from(self.eighths) / 8).max(2) as u16;
        Size::new(
            wanted.width.min(side(full.width)),
            wanted.height.min(side(full.height)),
        )
    }
}

/// What Opus takes for speech at its best, in bits a second: more isn't heard in one voice.
pub const SOUND_MOST: u32 = 40_000;
/// Below this Opus isn't understood any more with ease, and a packet's own headers take more.
pub const SOUND_LEAST: u32 = 12_000;
/// Sound goes first in the queue, so more than this many frames of it wait only where the line
/// carries hardly more than sound, or nothing for a moment.
const SOUND_WAITS: usize = 3;
/// How long the line must be calm before each of sound's steps up: shorter than [`PATIENCE`].
const SOUND_PATIENCE: Duration = Duration::from_secs(1);

/// The rule for sound.
#[derive(Clone, Debug)]
pub struct Sound {
    bits: u32,
    changed: Option<Now>,
    calm_since: Option<Now>,
}

impl Default for Sound {
    /// At its best.
    fn default() -> Self {
        Self {
            bits: SOUND_MOST,
            changed: None,
            calm_since: None,
        }
    }
}

impl Sound {
    /// What holds now, in bits a second.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// Looks at the line, some times a second; gives the bits from now on, if that changed.
    /// `picture_is_least`: there is no picture to make smaller any more.
    pub fn turn(&mut self, now: Now, line: Line, picture_is_least: bool) -> Option<u32> {
        if line.sound > SOUND_WAITS || picture_is_least && line.age > LATE {
            self.calm_since = None;
            if self
                .changed
                .is_some_and(|changed| now.since(changed) < SETTLE)
            {
                return None;
            }
            return self.set(now, f64::from(self.bits) * DOWN);
        }
        if line.age > LATE {
            self.calm_since = None;
            return None;
        }
        let calm_since = *self.calm_since.get_or_insert(now);
        if now.since(calm_since) < SOUND_PATIENCE {
            return None;
        }
        self.calm_since = Some(now);
        self.set(now, f64::from(self.bits) * UP)
    }

    fn set(&mut self, now: Now, bits: f64) -> Option<u32> {
        let bits = (bits as u32).clamp(SOUND_LEAST, SOUND_MOST);
        if bits == self.bits {
            return None;
        }
        self.bits = bits;
        self.changed = Some(now);
        Some(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u32 = 600_000;

    fn at(ms: u64) -> Now {
        Now(ms * 1000)
    }

    fn line(age_ms: u64) -> Line {
        Line {
            age: Duration::from_millis(age_ms),
            ..Line::default()
        }
    }

    #[test]
    fn a_good_line_is_left_alone() {
        let mut rate = Rate::new(MOST);
        for turn in 0..100 {
            assert_eq!(rate.turn(at(turn * 250), line(turn % 30)), None);
        }
    }

    #[test]
    fn a_slow_line_gets_less_step_by_step_and_a_smaller_picture() {
        let mut rate = Rate::new(MOST);
        let settings: Vec<_> = (0..40)
            .filter_map(|turn| rate.turn(at(turn * 250), line(300)))
            .collect();
        assert_eq!(
            settings[0],
            Setting {
                bits: 420_000,
                eighths: 8
            }
        );
        assert!(settings.windows(2).all(|pair| pair[1].bits < pair[0].bits));
        assert_eq!(
            settings.last(),
            Some(&Setting {
                bits: LEAST,
                eighths: 4
            })
        );
        let cap = rate
            .setting()
            .cap(Size::new(640, 360), Size::new(1920, 1080));
        assert_eq!(cap, Size::new(320, 180));
    }

    #[test]
    fn steps_down_settle_first() {
        let mut rate = Rate::new(MOST);
        assert!(rate.turn(at(0), line(101)).is_some());
        assert_eq!(rate.turn(at(499), line(500)), None);
        assert!(rate.turn(at(500), line(500)).is_some());
    }

    #[test]
    fn another_size_keeps_the_proportion() {
        let mut rate = Rate::new(MOST);
        rate.rebase(MOST / 2);
        assert_eq!(
            rate.setting(),
            Setting {
                bits: MOST / 2,
                eighths: 8
            }
        );
        rate.turn(at(0), line(300));
        rate.rebase(MOST);
        assert_eq!(
            rate.setting(),
            Setting {
                bits: 420_000,
                eighths: 8
            }
        );
    }

    #[test]
    fn dropped_frames_count_once() {
        let mut rate = Rate::new(MOST);
        let dropping = Line {
            dropped: 3,
            ..Line::default()
        };
        assert!(rate.turn(at(0), dropping).is_some());
        assert_eq!(rate.turn(at(1000), dropping), None);
    }

    #[test]
    fn a_line_that_recovers_gets_all_back() {
        let mut rate = Rate::new(MOST);
        for turn in 0..40 {
            rate.turn(at(turn * 250), line(300));
        }
        let mut times = Vec::new();
        for turn in 40..400 {
            if rate.turn(at(turn * 250), line(0)).is_some() {
                times.push(turn * 250);
            }
        }
        assert_eq!(
            rate.setting(),
            Setting {
                bits: MOST,
                eighths: 8
            }
        );
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 2000));
    }

    #[test]
    fn sound_gives_way_last_and_comes_back_first() {
        let (mut picture, mut sound) = (Rate::new(MOST), Sound::default());
        let mut first_less = None;
        for turn in 0..80 {
            let now = at(turn * 250);
            picture.turn(now, line(300));
            if sound.turn(now, line(300), picture.is_least()).is_some() {
                first_less.get_or_insert(picture.setting().bits);
            }
        }
        assert_eq!(first_less, Some(LEAST));
        assert_eq!(sound.bits(), SOUND_LEAST);
        let (mut sound_back, mut picture_back) = (None, None);
        for turn in 80..400 {
            let now = at(turn * 250);
            picture.turn(now, line(0));
            sound.turn(now, line(0), picture.is_least());
            if sound.bits() == SOUND_MOST {
                sound_back.get_or_insert(turn);
            }
            if picture.setting().bits == MOST {
                picture_back.get_or_insert(turn);
            }
        }
        assert!(sound_back.unwrap() < picture_back.unwrap());
    }

    #[test]
    fn sound_that_waits_takes_less_whatever_the_picture_does() {
        let mut sound = Sound::default();
        let waits = |frames| Line {
            sound: frames,
            ..Line::default()
        };
        assert_eq!(sound.turn(at(0), waits(3), false), None);
        assert_eq!(sound.turn(at(250), waits(4), false), Some(28_000));
        assert_eq!(sound.turn(at(500), waits(4), false), None, "it settles");
        assert_eq!(sound.turn(at(750), waits(4), false), Some(19_600));
    }
}
