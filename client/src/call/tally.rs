//! What came of each track over the whole call: one row for each sender and track, however often
//! its codec changed or its sender switched it off and on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use visita_media::{receive::Stats, stats::Percentiles};
use visita_protocol::{
    id::{MemberId, TrackId},
    media::{Codec, Kind},
    time::MediaTime,
};

use crate::report::{self, Delay, Report};

/// A sender's track.
pub(super) type Key = (MemberId, TrackId);

/// From capture to decoded, in microseconds; the decoder's thread adds to it.
pub(super) type Delays = Arc<Mutex<Percentiles>>;

/// What a decoder that is being ended did, once it is known to the last frame.
pub(super) type Ended = Arc<Mutex<Stats>>;

/// The rows.
#[derive(Default)]
pub(super) struct Tally {
    rows: BTreeMap<Key, Row>,
}

struct Row {
    name: String,
    kind: Kind,
    codec: Codec,
    delays: Delays,
    ended: Vec<Ended>,
}

impl Tally {
    /// A track begins, or goes on in another codec; gives where its delays are counted.
    pub(super) fn begin(&mut self, key: Key, name: &str, kind: Kind, codec: Codec) -> Delays {
        let row = self.rows.entry(key).or_insert_with(|| Row {
            name: name.to_owned(),
            kind,
            codec,
            delays: Arc::new(Mutex::new(Percentiles::new())),
            ended: Vec::new(),
        });
        (row.kind, row.codec) = (kind, codec);
        row.delays.clone()
    }

    /// A track's decoder ends, and did so much until now; gives where to write the rest.
    pub(super) fn end(&mut self, key: Key, until_now: Stats) -> Ended {
        let ended = Arc::new(Mutex::new(until_now));
        if let Some(row) = self.rows.get_mut(&key) {
            row.ended.push(ended.clone());
        }
        ended
    }

    /// The report of a call that began then. `live`: what the decoders that go on did.
    pub(super) fn report(
        &self,
        start: MediaTime,
        live: impl Fn(Key) -> Option<Stats>,
        sent: Vec<report::Sent>,
    ) -> Report {
        let mut first: Option<MediaTime> = None;
        let mut received = Vec::new();
        for (key, row) in &self.rows {
            let mut all: Vec<Stats> = row.ended.iter().map(|ended| lock(ended).clone()).collect();
            all.extend(live(*key));
            let pictures = all.iter().filter_map(|stats| stats.first_picture);
            first = pictures.chain(first).min();
            received.push(row.of(*key, &all));
        }
        let since_start =
            |first: MediaTime| (first.0.saturating_sub(start.0) as f64 / 100.0).round() / 10.0;
        Report {
            first_picture_ms: first.map(since_start),
            received,
            sent,
        }
    }
}

impl Row {
    fn of(&self, (from, _): Key, all: &[Stats]) -> report::Received {
        let sum = |count: fn(&Stats) -> u64| all.iter().map(count).sum::<u64>();
        let size = all.iter().rev().find_map(|stats| stats.size);
        let (received, decoded) = (sum(|stats| stats.received), sum(|stats| stats.decoded));
        report::Received {
            from,
            name: self.name.clone(),
            kind: self.kind,
            codec: self.codec,
            width: size.map(|size| size.width),
            height: size.map(|size| size.height),
            frames_received: received,
            frames_decoded: decoded,
            frames_dropped: received - decoded,
            frozen_ms: sum(|stats| stats.freezes.frozen_ms()),
            delay_ms: Delay::of(&lock(&self.delays)),
            bytes: sum(|stats| stats.bytes),
        }
    }
}

/// Counts go on whatever happened to who counted before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use visita_protocol::media::Size;

    use super::*;

    fn stats(received: u64, decoded: u64, size: Size, first_picture: u64) -> Stats {
        Stats {
            received,
            decoded,
            bytes: received * 100,
            size: Some(size),
            first_picture: Some(MediaTime(first_picture)),
            ..Stats::default()
        }
    }

    #[test]
    fn a_track_is_one_row_whatever_its_codec_was() {
        let (small, large) = (Size::new(320, 180), Size::new(640, 360));
        let key = (MemberId(3), TrackId(0));
        let mut tally = Tally::default();
        tally.begin(key, "Ana", Kind::Video, Codec::H264);
        let ended = tally.end(key, stats(10, 9, large, 5_000));
        let delays = tally.begin(key, "Ana", Kind::Video, Codec::Jpeg);
        lock(&delays).add(1_000);
        let report = |tally: &Tally| {
            tally.report(
                MediaTime(1_000),
                |_| Some(stats(5, 5, small, 9_000)),
                Vec::new(),
            )
        };
        let told = report(&tally);
        assert_eq!(told.first_picture_ms, Some(4.0));
        assert_eq!(told.received.len(), 1);
        let row = &told.received[0];
        assert_eq!((row.codec, row.width), (Codec::Jpeg, Some(320)));
        assert_eq!(
            (row.frames_received, row.frames_decoded, row.frames_dropped),
            (15, 14, 1)
        );
        assert_eq!(row.bytes, 1_500);
        // The frame that its decoder still had at hand.
        *lock(&ended) = stats(10, 10, large, 5_000);
        assert_eq!(report(&tally).received[0].frames_dropped, 0);
    }
}
