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

/// What waited before a step down says nothing about the step, but no longer than this: a large
/// frame that is half sent goes out first.
const DRAIN: Duration = Duration::from_secs(2);

/// A queue this old holds nothing that anybody wants to see: it is emptied whatever the step.
const STALE_AGE: Duration = Duration::from_secs(1);

/// The same where only key frames are sent: one may take nearly until the next is due.
const SLOW_KEY_FRAME_AGE: Duration = Duration::from_millis(800);

/// A queue that is never older than this part of what counts as slow follows well.
const CALM_PART: u32 = 2;

/// How long it must follow well before a level is tried that did well before, or never.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the patience with a level grows to, doubled each time that trying it fails: a try costs a
/// second of bad picture, then once a minute.
const MAX_PATIENCE: Duration = Duration::from_mins(1);

/// A step down within this time of a step up was a try that failed; a level that holds for it does
/// well.
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
    /// Whether that was a step up, which isn't known yet to do well.
    trying: bool,
    calm_since: Option<Now>,
    /// With each level, to try it.
    patience: [Duration; Level::SoundOnly as usize + 1],
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            level: Level::Full,
            stepped: None,
            trying: false,
            calm_since: None,
            patience: [PATIENCE; Level::SoundOnly as usize + 1],
        }
    }
}

impl Pace {
    /// Begins with key frames, as a try.
    pub(super) fn trying(now: Now) -> Self {
        Self {
            level: Level::KeyFrames,
            stepped: Some(now),
            trying: true,
            ..Self::default()
        }
    }

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
        let since_step = self
            .stepped
            .map_or(Duration::MAX, |stepped| now.since(stepped));
        if self.trying && since_step >= RELAPSE {
            self.trying = false;
            self.patience[self.level as usize] = PATIENCE;
        }
        let slow_age = if self.level == Level::KeyFrames {
            SLOW_KEY_FRAME_AGE
        } else {
            SLOW_AGE
        };
        if age > slow_age || bytes > SLOW_BYTES {
            self.calm_since = None;
            let draining = age >= since_step && since_step < DRAIN;
            if since_step >= SETTLE && !draining && self.level < Level::SoundOnly {
                return self.step_down(now, age, layers());
            }
            return if age > STALE_AGE {
                Turn::ShedAll
            } else {
                Turn::Steady
            };
        }
        if age > slow_age / CALM_PART {
            self.calm_since = None;
            return Turn::Steady;
        }
        let calm = now.since(*self.calm_since.get_or_insert(now));
        // The least that any level needs, so that layers are looked at seldom.
        if self.level > Level::Full && calm >= PATIENCE {
            let above = above(self.level, layers());
            if calm >= self.patience[above as usize] {
                self.step(now, above);
                self.trying = true;
            }
        }
        Turn::Steady
    }

    fn step_down(&mut self, now: Now, age: Duration, layers: Layers) -> Turn {
        if self.trying {
            let patience = &mut self.patience[self.level as usize];
            *patience = (*patience * 2).min(MAX_PATIENCE);
        }
        self.step(now, below(self.level, layers));
        self.trying = false;
        if self.level == Level::BaseTemporal && age <= STALE_AGE {
            Turn::ShedUpperTemporal
        } else {
            Turn::ShedAll
        }
    }

    fn step(&mut self, now: Now, level: Level) {
        self.level = level;
        self.stepped = Some(now);
        self.calm_since = None;
    }
}

fn below(level: Level, layers: Layers) -> Level {
    match level {
        Level::Full if layers.temporal => Level::BaseTemporal,
        Level::Full | Level::BaseTemporal if layers.spatial => Level::LowSpatial,
        Level::Full | Level::BaseTemporal | Level::LowSpatial => Level::KeyFrames,
        Level::KeyFrames | Level::SoundOnly => Level::SoundOnly,
    }
}

fn above(level: Level, layers: Layers) -> Level {
    match level {
        Level::SoundOnly => Level::KeyFrames,
        Level::KeyFrames if layers.spatial => Level::LowSpatial,
        Level::KeyFrames | Level::LowSpatial if layers.temporal => Level::BaseTemporal,
        Level::KeyFrames | Level::LowSpatial | Level::BaseTemporal | Level::Full => Level::Full,
    }
}
