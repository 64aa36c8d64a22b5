//! How far a slow receiver's picture is cut, and when it is tried with more again.

use std::time::Duration;

use crate::{frame::MAX_FRAME, time::Now};

/// A queue this old is a line that can't follow: a picture of 30 a second is due every 33 ms, so
/// seven of them wait. Below it lie bursts (key frames of many cameras) and busy machines.
const SLOW_AGE: Duration = Duration::from_millis(250);

/// As much picture waiting is a slow line as well, however short it waits.
const SLOW_BYTES: usize = MAX_FRAME;

/// After a step down, this long until the next: what was shed must first show its effect.
const SETTLE: Duration = Duration::from_millis(500);

/// A queue this old holds nothing that anybody wants to see: it is emptied whatever the step.
const STALE_AGE: Duration = Duration::from_secs(1);

/// A queue that is never older than this follows well: one picture's time and a turn of the
/// machine.
const CALM_AGE: Duration = Duration::from_millis(60);

/// How long it must follow well before it is tried with more.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the patience grows to when each try fails: a try costs a second of bad picture, once a
/// minute.
const MAX_PATIENCE: Duration = Duration::from_secs(60);

/// A step down within this time of a step up was a try that failed.
const RELAPSE: Duration = Duration::from_secs(10);

/// How far picture is cut, each including the ones before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is cut.
    #[default]
    Full,
    /// Upper temporal layers are left out.
    BaseTemporal,
    /// The lowest spatial layer is sent.
    LowSpatial,
    /// Only key frames are sent, one a second at most.
    KeyFrames,
    /// No picture is sent.
    SoundOnly,
}

impl Level {
    /// A name for metrics and reports.
    pub fn name(self) -> &'static str {
        match self {
            Level::Full => "full",
            Level::BaseTemporal => "base_temporal",
            Level::LowSpatial => "low_spatial",
            Level::KeyFrames => "key_frames",
            Level::SoundOnly => "sound_only",
        }
    }
}

/// Which upper layers there are to leave out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers {
    pub(super) temporal: bool,
    pub(super) spatial: bool,
}

/// What must be thrown away now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Steady,
    ShedUpperTemporal,
    ShedAll,
}

#[derive(Debug)]
pub(super) struct Pace {
    level: Level,
    /// When the level last changed.
    stepped: Option<Now>,
    /// Whether that was a step up.
    rising: bool,
    calm_since: Option<Now>,
    patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            level: Level::Full,
            stepped: None,
            rising: false,
            calm_since: None,
            patience: PATIENCE,
        }
    }
}

impl Pace {
    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// Looks at the queues' age and picture's bytes. A level without effect is skipped.
    pub(super) fn turn(
        &mut self,
        now: Now,
        age: Duration,
        bytes: usize,
        layers: impl Fn() -> Layers,
    ) -> Turn {
        let settled = |for_: Duration| {
            self.stepped
                .is_none_or(|stepped| now.since(stepped) >= for_)
        };
        if age > SLOW_AGE || bytes > SLOW_BYTES {
            self.calm_since = None;
            if !settled(SETTLE) {
                return if age > STALE_AGE {
                    Turn::ShedAll
                } else {
                    Turn::Steady
                };
            }
            let Layers { temporal, spatial } = layers();
            let below = match self.level {
                Level::Full if temporal => Level::BaseTemporal,
                Level::Full | Level::BaseTemporal if spatial => Level::LowSpatial,
                Level::Full | Level::BaseTemporal | Level::LowSpatial => Level::KeyFrames,
                Level::KeyFrames | Level::SoundOnly => Level::SoundOnly,
            };
            if below == self.level {
                return if age > STALE_AGE {
                    Turn::ShedAll
                } else {
                    Turn::Steady
                };
            }
            let failed = self.rising && !settled(RELAPSE);
            self.patience = if failed {
                (self.patience * 2).min(MAX_PATIENCE)
            } else {
                PATIENCE
            };
            self.step(now, below, false);
            let shed_all = self.level != Level::BaseTemporal || age > STALE_AGE;
            return if shed_all {
                Turn::ShedAll
            } else {
                Turn::ShedUpperTemporal
            };
        }
        if age > CALM_AGE {
            self.calm_since = None;
            return Turn::Steady;
        }
        let calm_since = *self.calm_since.get_or_insert(now);
        if self.level > Level::Full
            && now.since(calm_since) >= self.patience
            && settled(self.patience)
        {
            let Layers { temporal, spatial } = layers();
            let above = match self.level {
                Level::SoundOnly => Level::KeyFrames,
                Level::KeyFrames if spatial => Level::LowSpatial,
                Level::KeyFrames | Level::LowSpatial if temporal => Level::BaseTemporal,
                _ => Level::Full,
            };
            self.step(now, above, true);
        }
        Turn::Steady
    }

    fn step(&mut self, now: Now, level: Level, rising: bool) {
        self.level = level;
        self.stepped = Some(now);
        self.rising = rising;
        self.calm_since = None;
    }
}
