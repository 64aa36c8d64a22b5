//! Key-frame requests to one publisher: merged, and not more than an encoder can bear.
//!
//! Many receivers may need a key frame of a track at once, and a receiver says so again with
//! every frame that it can't use. The publisher is asked once; again after a while if no key
//! frame came and it is still needed; and seldom enough that its picture isn't made of key
//! frames.

use std::time::Duration;

use crate::{id::TrackId, time::Now};

/// A request without an answer is made again after this time: several times a slow line's way
/// there and back, with the encoding of a picture.
pub const REPEAT: Duration = Duration::from_secs(1);

/// In the long run at most one request in this time: a key frame is ten times as large as
/// another frame, so two a second double a stream of 30 pictures a second.
pub const INTERVAL: Duration = Duration::from_millis(500);

/// This many requests may follow each other faster: people who come in one after the other
/// shouldn't wait for their first picture.
pub const BURST: u32 = 3;

struct Track {
    id: TrackId,
    /// Somebody needs a key frame, and none came since.
    needed: bool,
    /// When it was last asked for, if no key frame came since.
    outstanding: Option<Now>,
    /// When all requests that may follow fast are available again.
    full_at: Now,
}

impl Track {
    /// When the next request may be made.
    fn allowed_at(&self) -> Now {
        let spent = self.full_at;
        let burst = INTERVAL * (BURST - 1);
        let paced = Now(spent.0.saturating_sub(burst.as_micros() as u64));
        match self.outstanding {
            Some(asked) => paced.max(asked.plus(REPEAT)),
            None => paced,
        }
    }

    fn ask(&mut self, now: Now) -> bool {
        if !self.needed || now < self.allowed_at() {
            return false;
        }
        self.outstanding = Some(now);
        self.full_at = self.full_at.max(now).plus(INTERVAL);
        true
    }
}

/// The requests to one publisher.
#[derive(Default)]
pub struct Requests {
    tracks: Vec<Track>,
}

impl Requests {
    /// No track was needed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Somebody needs a key frame of this track. Says whether to ask the publisher now; if not,
    /// it was asked already or is asked later, see [`Requests::due`].
    #[must_use]
    pub fn need(&mut self, now: Now, track: TrackId) -> bool {
        let known = self.tracks.iter().position(|known| known.id == track);
        let index = known.unwrap_or_else(|| {
            let fresh = Track {
                id: track,
                needed: false,
                outstanding: None,
                full_at: now,
            };
            self.tracks.push(fresh);
            self.tracks.len() - 1
        });
        self.tracks[index].needed = true;
        self.tracks[index].ask(now)
    }

    /// A key frame of this track came.
    pub fn came(&mut self, track: TrackId) {
        if let Some(track) = self.tracks.iter_mut().find(|known| known.id == track) {
            track.needed = false;
            track.outstanding = None;
        }
    }

    /// Nobody needs this track any more.
    pub fn forget(&mut self, track: TrackId) {
        // The pace is kept, or watching and not watching in turn would get round it.
        self.came(track);
    }

    /// The tracks to ask for now: those that are still needed and weren't asked for lately.
    pub fn due(&mut self, now: Now) -> Vec<TrackId> {
        self.tracks
            .iter_mut()
            .filter_map(|track| track.ask(now).then_some(track.id))
            .collect()
    }

    /// When [`Requests::due`] has something to say next.
    pub fn next(&self) -> Option<Now> {
        self.tracks
            .iter()
            .filter(|track| track.needed)
            .map(Track::allowed_at)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: TrackId = TrackId(0);

    fn at(ms: u64) -> Now {
        Now(ms * 1000)
    }

    #[test]
    fn requests_are_merged_until_a_key_frame_comes() {
        let mut requests = Requests::new();
        assert!(requests.need(at(0), CAMERA));
        assert!(!requests.need(at(1), CAMERA));
        assert!(requests.need(at(1), TrackId(1)));
        requests.came(CAMERA);
        assert!(requests.need(at(2), CAMERA));
    }

    #[test]
    fn an_unanswered_request_is_repeated_while_it_is_needed() {
        let mut requests = Requests::new();
        assert!(requests.need(at(0), CAMERA));
        assert_eq!(requests.next(), Some(at(1000)));
        assert_eq!(requests.due(at(999)), []);
        assert_eq!(requests.due(at(1000)), [CAMERA]);
        requests.forget(CAMERA);
        assert_eq!((requests.due(at(5000)), requests.next()), (vec![], None));
    }

    #[test]
    fn however_many_need_one_the_pace_is_kept() {
        let mut requests = Requests::new();
        let mut asked = 0;
        for ms in 0..10_000 {
            if requests.need(at(ms), CAMERA) {
                asked += 1;
                requests.came(CAMERA);
            }
        }
        assert_eq!(asked, 20 + BURST - 1);
    }
}
