//! How loud a sound frame is, as its clear header says it to the relay and to the receivers.
//!
//! Coarse on purpose: in steps of 6 dB, held for 100 ms, so that what is said can't be told from
//! it once payloads are encrypted (levels of every 20 ms give words away, RFC 6464, section 5).

/// How many sound frames of one track a relay forwards in a second, and at once after a pause:
/// twice those of 20 ms, so that packets of 10 ms and what a stalled line held back get through.
pub const MAX_FRAMES_PER_S: u32 = 100;

/// A step of the levels that senders tell, in dB.
const STEP_DB: f32 = 6.0;

/// What RFC 6464 says silence is.
const SILENCE: u8 = 127;

/// The largest step above silence: 21 steps of 6 dB.
const QUIETEST: f32 = 126.0;

const VOICE: u8 = 0x80;

/// How loud a sound frame is, and whether somebody speaks in it: the byte of RFC 6464.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Level(u8);

impl Level {
    /// Silence.
    pub const SILENT: Self = Self(SILENCE);

    /// A level of `dbov` (0 = the loudest that there is, −127 = silence), to the nearest step of
    /// 6 dB.
    pub fn new(dbov: f32, voice: bool) -> Self {
        // Minus infinity is digital silence, and what isn't a number was none.
        let level = if dbov > -f32::from(SILENCE) {
            ((-dbov / STEP_DB).round() * STEP_DB).clamp(0.0, QUIETEST) as u8
        } else {
            SILENCE
        };
        Self(level | if voice { VOICE } else { 0 })
    }

    /// From the wire: any byte is a level.
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// For the wire: bit 7 = voice, bits 0–6 = the level in −dBov.
    pub const fn to_byte(self) -> u8 {
        self.0
    }

    /// How loud, from 0 down to −127.
    pub fn dbov(self) -> f32 {
        -f32::from(self.0 & !VOICE)
    }

    /// Whether somebody speaks.
    pub const fn voice(self) -> bool {
        self.0 & VOICE != 0
    }
}

impl std::fmt::Debug for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let voice = if self.voice() { ", voice" } else { "" };
        write!(f, "Level({} dBov{voice})", self.dbov())
    }
}

/// For how many frames a level is told: 100 ms of frames of 20 ms.
const HOLD: u32 = 5;

/// What a sender tells of its own sound: it is asked once for each frame of 20 ms, sent or not.
///
/// A level is the mean of the 100 ms before. Only voice that begins is told at once, so that the
/// relay lets a first word through from its beginning; it can't begin again before a whole 100 ms
/// without voice were told.
#[derive(Clone, Debug)]
pub struct Meter {
    told: Level,
    frames: u32,
    power: f32,
    voice: bool,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            told: Level::SILENT,
            frames: 0,
            power: 0.0,
            voice: false,
        }
    }
}

impl Meter {
    /// A meter that has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The level to tell with a frame of this loudness.
    pub fn frame(&mut self, dbov: f32, voice: bool) -> Level {
        if voice && !self.told.voice() {
            *self = Self {
                told: Level::new(dbov, true),
                ..Self::default()
            };
        }
        self.frames += 1;
        // What isn't a number was no measurement: silent.
        if !dbov.is_nan() {
            self.power += 10_f32.powf(dbov.min(0.0) / 10.0);
        }
        self.voice |= voice;
        let told = self.told;
        if self.frames == HOLD {
            let mean = 10.0 * (self.power / HOLD as f32).log10();
            *self = Self {
                told: Level::new(mean, self.voice),
                ..Self::default()
            };
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn a_level_is_told_in_steps_of_6_db() {
        for (dbov, told) in [
            (0.0, 0),
            (3.5, 0),
            (-2.9, 0),
            (-3.1, 6),
            (-30.0, 30),
            (-125.0, 126),
            (-126.9, 126),
            (-127.0, 127),
            (f32::NEG_INFINITY, 127),
            (f32::INFINITY, 0),
            (f32::NAN, 127),
        ] {
            assert_eq!(Level::new(dbov, false).to_byte(), told, "{dbov}");
            assert_eq!(Level::new(dbov, true).to_byte(), 0x80 | told, "{dbov}");
        }
    }

    #[test]
    fn voice_that_begins_is_told_at_once_and_all_else_after_100_ms() {
        let mut meter = Meter::new();
        let told = |meter: &mut Meter, dbov, voice| meter.frame(dbov, voice).to_byte();
        for _ in 0..7 {
            assert_eq!(told(&mut meter, f32::NEG_INFINITY, false), 127);
        }
        for _ in 0..5 {
            assert_eq!(told(&mut meter, -24.0, true), 0x80 + 24);
        }
        for _ in 0..5 {
            assert_eq!(told(&mut meter, -60.0, false), 0x80 + 24);
        }
        assert_eq!(told(&mut meter, -60.0, false), 60);
        assert_eq!(told(&mut meter, -12.0, true), 0x80 + 12);
    }

    #[test]
    fn a_frame_that_cant_be_measured_doesnt_spoil_those_after_it() {
        let mut meter = Meter::new();
        meter.frame(f32::NAN, true);
        for _ in 0..5 {
            meter.frame(-30.0, true);
        }
        assert_eq!(meter.frame(-30.0, true).to_byte() & 0x7f, 30);
    }

    proptest! {
        #[test]
        fn any_byte_is_a_level_and_stays_one(byte: u8) {
            let level = Level::from_byte(byte);
            prop_assert_eq!(level.to_byte(), byte);
            prop_assert!((-127.0..=0.0).contains(&level.dbov()));
        }

        /// What is told again is told the same.
        #[test]
        fn a_step_is_the_nearest_and_stays_where_it_is(dbov in -140.0..20.0_f32, voice: bool) {
            let level = Level::new(dbov, voice);
            prop_assert_eq!(Level::new(level.dbov(), level.voice()), level);
            prop_assert!((level.dbov() - dbov.clamp(-127.0, 0.0)).abs() <= 3.0);
            prop_assert_eq!(level.voice(), voice);
        }

        /// What is told changes after 100 ms, or where voice begins after 100 ms without.
        #[test]
        fn a_level_is_held(frames in vec((-100.0..0.0_f32, any::<bool>()), 0..200)) {
            let mut meter = Meter::new();
            let told: Vec<Level> = frames.iter().map(|&(dbov, voice)| meter.frame(dbov, voice)).collect();
            let mut since = 0;
            for (at, pair) in told.windows(2).enumerate() {
                if pair[0] == pair[1] {
                    continue;
                }
                let begins = pair[1].voice() && !pair[0].voice();
                prop_assert!(begins || at + 1 - since >= HOLD as usize, "{told:?}");
                if begins {
                    prop_assert!(frames[at + 1].1);
                }
                since = at + 1;
            }
        }
    }
}
