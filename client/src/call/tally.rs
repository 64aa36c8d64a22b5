//! What came of each track over the whole call: one row for each sender and track, however often
//! its codec changed or its sender switched it off and on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use visita_media::{receive, sound::listen, stats::Percentiles};
use visita_protocol::{
    id::{MemberId, TrackId},
    media::{Codec, Kind},
    time::MediaTime,
};

use crate::report::{self, Delay, Media, Offset, Picture, Report, Sound};

/// A sender's track.
pub(super) type Key = (MemberId, TrackId);

/// From capture to decoded, in microseconds; the decoder's thread adds to it.
pub(super) type Delays = Arc<Mutex<Percentiles>>;

/// What a decoder that is being ended did, once it is known to the last frame.
pub(super) type Ended = Arc<Mutex<receive::Stats>>;

/// What was done of a track between its announcement and its end.
#[derive(Clone, Debug)]
pub(super) enum Stats {
    Picture(receive::Stats),
    Sound(listen::Stats),
}

/// The rows.
#[derive(Default)]
pub(super) struct Tally {
    rows: BTreeMap<Key, Row>,
}

struct Row {
    name: String,
    kind: Kind,
    codec: Codec,
    same_clock: bool,
    delays: Delays,
    pictures: Vec<Ended>,
    sounds: Vec<listen::Stats>,
}

impl Tally {
    /// A track begins, or goes on in another codec; gives where its pictures' delays are counted.
    pub(super) fn begin(
        &mut self,
        key: Key,
        name: &str,
        kind: Kind,
        codec: Codec,
        same_clock: bool,
    ) -> Delays {
        let row = self.rows.entry(key).or_insert_with(|| Row {
            name: name.to_owned(),
            kind,
            codec,
            same_clock,
            delays: Arc::new(Mutex::new(Percentiles::new())),
            pictures: Vec::new(),
            sounds: Vec::new(),
        });
        (row.kind, row.codec) = (kind, codec);
        row.delays.clone()
    }

    /// A track's decoder ends, and did so much until now; gives where to write the rest.
    pub(super) fn end(&mut self, key: Key, until_now: receive::Stats) -> Ended {
        let ended = Arc::new(Mutex::new(until_now));
        if let Some(row) = self.rows.get_mut(&key) {
            row.pictures.push(ended.clone());
        }
        ended
    }

    /// A track of sound ends.
    pub(super) fn silent(&mut self, key: Key, stats: listen::Stats) {
        if let Some(row) = self.rows.get_mut(&key) {
            row.sounds.push(stats);
        }
    }

    /// The report of a call that began then. `live`: what was done of those that go on; `offset`:
    /// how far a sender's pictures were from its sound.
    pub(super) fn report(
        &self,
        start: MediaTime,
        live: impl Fn(Key) -> Option<Stats>,
        offset: impl Fn(MemberId) -> Option<Offset>,
        sent: Vec<report::Sent>,
    ) -> Report {
        let mut first: Option<MediaTime> = None;
        let mut received = Vec::new();
        for (key, row) in &self.rows {
            let ended = row.pictures.iter().map(|ended| lock(ended).clone());
            let mut pictures: Vec<receive::Stats> = ended.collect();
            let mut sounds = row.sounds.clone();
            match live(*key) {
                Some(Stats::Picture(stats)) => pictures.push(stats),
                Some(Stats::Sound(stats)) => sounds.push(stats),
                None => {}
            }
            let firsts = pictures.iter().filter_map(|stats| stats.first_picture);
            first = firsts.chain(first).min();
            received.push(match row.kind {
                Kind::Video => row.of_picture(*key, &pictures),
                Kind::Audio => row.of_sound(*key, &sounds, offset(key.0)),
            });
        }
        let since_start =
            |first: MediaTime| (first.0.saturating_sub(start.0) as f64 / 100.0).round() / 10.0;
        Report {
            first_picture_ms: first.map(since_start),
            received,
            sent,
            ways: report::Ways::default(),
        }
    }
}

impl Row {
    fn of_picture(&self, (from, _): Key, all: &[receive::Stats]) -> report::Received {
        let sum = |count: fn(&receive::Stats) -> u64| all.iter().map(count).sum::<u64>();
        let size = all.iter().rev().find_map(|stats| stats.size);
        let (received, decoded) = (sum(|stats| stats.received), sum(|stats| stats.decoded));
        report::Received {
            from,
            name: self.name.clone(),
            media: Media::Video(Picture {
                width: size.map(|size| size.width),
                height: size.map(|size| size.height),
                frozen_ms: sum(|stats| stats.freezes.frozen_ms()),
            }),
            codec: self.codec,
            frames_received: received,
            frames_decoded: decoded,
            frames_dropped: received - decoded,
            delay_ms: Delay::of(&lock(&self.delays)),
            bytes: sum(|stats| stats.bytes),
        }
    }

    fn of_sound(
        &self,
        (from, _): Key,
        all: &[listen::Stats],
        av_offset_ms: Option<Offset>,
    ) -> report::Received {
        let sum = |count: fn(&listen::Stats) -> u64| all.iter().map(count).sum::<u64>();
        let mut delays = Percentiles::new();
        for stats in all.iter().filter(|_| self.same_clock) {
            delays.merge(&stats.delay_us);
        }
        report::Received {
            from,
            name: self.name.clone(),
            media: Media::Audio(Sound {
                concealed_ms: sum(|stats| stats.concealed_ms),
                stretched_ms: sum(|stats| stats.stretched_ms),
                jitter_ms: all.last().map_or(0.0, |stats| tenths(stats.jitter_ms)),
                delay_now_ms: all
                    .last()
                    .filter(|_| self.same_clock)
                    .and_then(|stats| stats.delay_now_us)
                    .map(|us| tenths(us as f32 / 1000.0)),
                level_dbfs: level(all),
                av_offset_ms,
            }),
            codec: self.codec,
            frames_received: sum(|stats| stats.received),
            frames_decoded: sum(|stats| stats.decoded),
            frames_dropped: sum(|stats| stats.dropped),
            delay_ms: Delay::of(&delays),
            bytes: sum(|stats| stats.bytes),
        }
    }
}

/// The mean power of all, in decibels of full scale; `None` of nothing but silence.
fn level(all: &[listen::Stats]) -> Option<f64> {
    /// What stands for silence (RFC 6464).
    const SILENCE: f32 = -127.0;
    let (mut power, mut frames) = (0.0_f64, 0.0_f64);
    for stats in all.iter().filter(|stats| stats.mean_level_dbfs > SILENCE) {
        let decoded = stats.decoded as f64;
        power += decoded * 10_f64.powf(f64::from(stats.mean_level_dbfs) / 10.0);
        frames += decoded;
    }
    (frames > 0.0).then(|| tenths((10.0 * (power / frames).log10()) as f32))
}

fn tenths(value: f32) -> f64 {
    (f64::from(value) * 10.0).round() / 10.0
}

/// Counts go on whatever happened to who counted before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use visita_protocol::media::Size;

    use super::*;

    fn stats(received: u64, decoded: u64, size: Size, first_picture: u64) -> receive::Stats {
        receive::Stats {
            received,
            decoded,
            bytes: received * 100,
            size: Some(size),
            first_picture: Some(MediaTime(first_picture)),
            ..receive::Stats::default()
        }
    }

    #[test]
    fn a_track_is_one_row_whatever_its_codec_was() {
        let (small, large) = (Size::new(320, 180), Size::new(640, 360));
        let key = (MemberId(3), TrackId(0));
        let mut tally = Tally::default();
        tally.begin(key, "Ana", Kind::Video, Codec::H264, true);
        let ended = tally.end(key, stats(10, 9, large, 5_000));
        let delays = tally.begin(key, "Ana", Kind::Video, Codec::Jpeg, true);
        lock(&delays).add(1_000);
        let report = |tally: &Tally| {
            tally.report(
                MediaTime(1_000),
                |_| Some(Stats::Picture(stats(5, 5, small, 9_000))),
                |_| None,
                Vec::new(),
            )
        };
        let told = report(&tally);
        assert_eq!(told.first_picture_ms, Some(4.0));
        assert_eq!(told.received.len(), 1);
        let row = &told.received[0];
        let width = row.picture().unwrap().width;
        assert_eq!((row.codec, width), (Codec::Jpeg, Some(320)));
        assert_eq!(
            (row.frames_received, row.frames_decoded, row.frames_dropped),
            (15, 14, 1)
        );
        assert_eq!(row.bytes, 1_500);
        // The frame that its decoder still had at hand.
        *lock(&ended) = stats(10, 10, large, 5_000);
        assert_eq!(report(&tally).received[0].frames_dropped, 0);
    }

    fn heard(decoded: u64, level: f32, delay_us: u64) -> listen::Stats {
        let mut stats = listen::Stats {
            received: decoded + 1,
            decoded,
            dropped: 1,
            bytes: decoded * 80,
            concealed_ms: 20,
            stretched_ms: 10,
            jitter_ms: 1.26,
            mean_level_dbfs: level,
            ..listen::Stats::default()
        };
        for _ in 0..decoded {
            stats.delay_us.add(delay_us);
        }
        stats
    }

    #[test]
    fn sound_that_was_muted_for_a_while_is_one_row() {
        let key = (MemberId(3), TrackId(8));
        for same_clock in [true, false] {
            let mut tally = Tally::default();
            tally.begin(key, "Ana", Kind::Audio, Codec::Opus, same_clock);
            tally.silent(key, heard(100, -20.0, 80_000));
            tally.silent(key, heard(0, -127.0, 0));
            tally.begin(key, "Ana", Kind::Audio, Codec::Opus, same_clock);
            let offset = Offset { p50: 3.0, p95: 9.0 };
            let told = tally.report(
                MediaTime(0),
                |_| Some(Stats::Sound(heard(300, -20.0, 90_000))),
                |member| (member == key.0).then_some(offset),
                Vec::new(),
            );
            let [row] = told.received.as_slice() else {
                panic!("{told:?}")
            };
            assert_eq!(
                (row.frames_received, row.frames_decoded, row.frames_dropped),
                (403, 400, 3)
            );
            let expected = Sound {
                concealed_ms: 60,
                stretched_ms: 30,
                jitter_ms: 1.3,
                delay_now_ms: None,
                level_dbfs: Some(-20.0),
                av_offset_ms: Some(offset),
            };
            assert_eq!(row.sound(), Some(&expected));
            let p50 = row.delay_ms.map(|delay| delay.p50);
            assert_eq!(p50.is_some(), same_clock);
            assert!(p50.is_none_or(|p50| (p50 - 90.0).abs() < 1.0), "{p50:?}");
        }
    }
}
