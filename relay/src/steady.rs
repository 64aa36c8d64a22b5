//! What a publisher is told to send, without the haste of those who watch: a new size restarts its
//! encoder, which everybody pays for with a key frame. So it grows at once, and shrinks only when
//! nobody wanted the larger size for a while.

use std::time::Duration;

use visita_protocol::{control::SendTrack, time::Now};

/// How long a smaller size must have been enough.
const HOLD: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(crate) struct Steady {
    said: Vec<SendTrack>,
    wanted: Vec<SendTrack>,
    /// Since when less is wanted than was said.
    smaller_since: Option<Now>,
}

impl Steady {
    /// This is wanted from now on. Gives what to say now, if that differs from what was said. A
    /// track that nobody wants any more ends at once.
    pub(crate) fn want(&mut self, now: Now, tracks: &[SendTrack]) -> Option<Vec<SendTrack>> {
        self.wanted = tracks.to_vec();
        let mut next = self.wanted.clone();
        for track in &mut next {
            if let Some(said) = self.said.iter().find(|said| said.track == track.track) {
                track.size = track.size.max(said.size);
            }
        }
        if next == self.wanted {
            self.smaller_since = None;
        } else {
            self.smaller_since.get_or_insert(now);
        }
        self.say(next)
    }

    /// What to say because it was wanted for long enough.
    pub(crate) fn due(&mut self, now: Now) -> Option<Vec<SendTrack>> {
        let since = self.smaller_since?;
        if now.since(since) < HOLD {
            return None;
        }
        self.smaller_since = None;
        self.say(self.wanted.clone())
    }

    /// What was said last.
    pub(crate) fn said(&self) -> &[SendTrack] {
        &self.said
    }

    fn say(&mut self, next: Vec<SendTrack>) -> Option<Vec<SendTrack>> {
        if next == self.said {
            return None;
        }
        self.said.clone_from(&next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visita_protocol::{id::TrackId, media::Size};

    fn at(width: u16, height: u16) -> Vec<SendTrack> {
        vec![SendTrack {
            track: TrackId(0),
            size: Size::new(width, height),
        }]
    }

    #[test]
    fn it_grows_at_once_and_shrinks_after_a_while() {
        let mut steady = Steady::default();
        let second = |s: u64| Now(s * 1_000_000);
        let (small, large) = (at(160, 90), at(640, 360));
        assert_eq!(steady.want(second(0), &small), Some(small.clone()));
        assert_eq!(steady.want(second(0), &large), Some(large.clone()));
        for toggle in 1..40 {
            assert_eq!(steady.want(second(toggle), &small), None);
            assert_eq!(steady.due(second(toggle)), None);
            assert_eq!(steady.want(second(toggle), &large), None);
        }
        assert_eq!(steady.want(second(40), &small), None);
        assert_eq!(steady.due(second(41)), None);
        assert_eq!(steady.due(second(42)), Some(small.clone()));
        assert_eq!(steady.due(second(50)), None);
        assert_eq!(steady.want(second(50), &[]), Some(vec![]), "nobody at all");
        assert_eq!(steady.want(second(50), &small), Some(small));
    }
}
