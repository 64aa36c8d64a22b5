//! One sender as the listener knows it. It is told the time.

use visita_protocol::time::MediaTime;

use super::{Frame, Stats};
use crate::{
    sound::{
        BLOCK,
        jitter::{Buffer, Heard, plan::Kept},
        level::{self, dbfs},
        mix::Mixer,
    },
    stats::Percentiles,
};

/// How fast a level falls on a meter, in decibels for each 10 ms: as fast as eyes follow.
const FALLS: f32 = 2.0;
/// The loudest that somebody can be made: twice.
const MOST_VOLUME: f32 = 2.0;

pub(super) struct Sender {
    /// `None` before the first packet.
    buffer: Option<Buffer>,
    received: u64,
    bytes: u64,
    /// Packets that the buffer didn't take.
    refused: u64,
    jitter: Jitter,
    volume: f32,
    wanted_volume: f32,
    level: f32,
    power: f64,
    powers: u64,
    delay_us: Percentiles,
    mixed_us: Percentiles,
    playing: Option<Playing>,
}

/// This media time is heard at this time.
#[derive(Clone, Copy)]
struct Playing {
    time_us: u64,
    heard_us: u64,
}

impl Playing {
    /// From capture to being heard. Nothing on a clock that is ahead.
    fn delay_us(self) -> Option<u64> {
        self.heard_us.checked_sub(self.time_us)
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self {
            buffer: None,
            received: 0,
            bytes: 0,
            refused: 0,
            jitter: Jitter::default(),
            volume: 1.0,
            wanted_volume: 1.0,
            level: level::SILENCE,
            power: 0.0,
            powers: 0,
            delay_us: Percentiles::new(),
            mixed_us: Percentiles::new(),
            playing: None,
        }
    }
}

impl Sender {
    /// A packet came.
    pub(super) fn frame(&mut self, frame: Frame, now: MediaTime) {
        self.received += 1;
        self.bytes += frame.payload.len() as u64;
        self.jitter.packet(now.0, frame.time.0);
        if self.buffer.is_none() {
            match Buffer::new() {
                Ok(buffer) => self.buffer = Some(buffer),
                Err(error) => tracing::warn!(%error, "somebody can't be heard"),
            }
        }
        let Some(buffer) = &mut self.buffer else {
            self.refused += 1;
            return;
        };
        let kept = buffer.packet(frame.sequence, frame.time.0, frame.payload, now.0);
        self.refused += u64::from(!matches!(kept, Kept::Waits | Kept::Copied));
    }

    pub(super) fn volume(&mut self, volume: f32) {
        self.wanted_volume = if volume.is_finite() {
            volume.clamp(0.0, MOST_VOLUME)
        } else {
            1.0
        };
    }

    /// Adds the next 10 ms, which are played at this time by the device's pace, and will be heard so
    /// many microseconds from now.
    pub(super) fn mix(
        &mut self,
        by_pace: MediaTime,
        now: MediaTime,
        delay_us: u64,
        mixer: &mut Mixer,
    ) {
        let Some(buffer) = &mut self.buffer else {
            return;
        };
        let mut block = [0.0; BLOCK];
        let heard = buffer.block(by_pace.0, &mut block);
        let dbfs = dbfs(&block);
        self.level = dbfs.max(self.level - FALLS);
        let heard_us = now.0 + delay_us;
        self.playing = None;
        if let Heard::Sound(Some(time_us)) = heard {
            self.playing = Some(Playing { time_us, heard_us });
            self.power += 10_f64.powf(f64::from(dbfs) / 10.0);
            self.powers += 1;
            if let Some(delay) = self.playing.and_then(Playing::delay_us) {
                self.delay_us.add(delay);
            }
            if let Some(delay) = now.0.checked_sub(time_us) {
                self.mixed_us.add(delay);
            }
        }
        mixer.add(&block, self.volume, self.wanted_volume);
        self.volume = self.wanted_volume;
    }

    pub(super) fn level(&self) -> f32 {
        self.level
    }

    /// The media time that is heard now.
    pub(super) fn playing(&self, now: MediaTime) -> Option<MediaTime> {
        let playing = self.playing?;
        let ahead = now.0 as i64 - playing.heard_us as i64;
        Some(MediaTime(playing.time_us.saturating_add_signed(ahead)))
    }

    pub(super) fn stats(&self) -> Stats {
        let counts = self.buffer.as_ref().map(Buffer::counts).unwrap_or_default();
        let mean = self.power / self.powers.max(1) as f64;
        Stats {
            received: self.received,
            decoded: counts.decoded,
            dropped: self.refused + counts.plan.left_out + counts.broken,
            broken: counts.broken,
            bytes: self.bytes,
            concealed_ms: counts.plan.concealed_us / 1000,
            repaired_ms: counts.plan.repaired_us / 1000,
            copied: counts.plan.copied,
            stretched_ms: counts.stretched / 48,
            jitter_ms: self.jitter.us / 1000.0,
            target_ms: self.buffer.as_ref().map_or(0, Buffer::target) / 1000,
            level_dbfs: self.level,
            mean_level_dbfs: level::of_power(mean as f32),
            delay_us: self.delay_us.clone(),
            delay_now_us: self.playing.and_then(Playing::delay_us),
            mixed_us: self.mixed_us.clone(),
        }
    }
}

/// RFC 3550's interarrival jitter (section 6.4.1), in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Jitter {
    last: Option<i64>,
    us: f32,
}

impl Jitter {
    fn packet(&mut self, arrival: u64, time: u64) {
        let transit = arrival.wrapping_sub(time) as i64;
        if let Some(last) = self.last.replace(transit) {
            // A clock that jumps by hours isn't jitter.
            let difference = transit.wrapping_sub(last).unsigned_abs().min(1_000_000);
            self.us += (difference as f32 - self.us) / 16.0;
        }
    }
}
