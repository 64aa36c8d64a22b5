//! Sound that is sent twice to one whose line loses packets: RTP doesn't send it again, and nobody
//! but its sender could repeat it inside. Pure.

use std::{sync::Arc, time::Instant};

use str0m::media::{Mid, Pt};
use visita_protocol::{frame::Header, id::MemberId};

/// From so many lost of a thousand on, and until less than that (PROTOCOL.md, Lost sound).
const FROM: f32 = 0.02;
const UNTIL: f32 = 0.01;

/// A sound as it was written.
pub(super) struct Written {
    pub(super) header: Header,
    pub(super) mid: Mid,
    pub(super) pt: Pt,
    pub(super) captured: Instant,
    pub(super) time: str0m::media::MediaTime,
    pub(super) payload: Arc<[u8]>,
}

/// The last sound of each sender.
#[derive(Default)]
pub(super) struct Again {
    lossy: bool,
    last: Vec<Written>,
}

impl Again {
    /// This share of packets got lost in the last second.
    pub(super) fn lost(&mut self, share: f32) {
        self.lossy = share >= if self.lossy { UNTIL } else { FROM };
        if !self.lossy {
            self.last.clear();
        }
    }

    /// A sound is written.
    pub(super) fn written(&mut self, sound: Written) {
        if self.lossy {
            self.take(sound.header.sender);
            self.last.push(sound);
        }
    }

    /// The sound before the one of this sender that is written next: so both aren't lost together.
    pub(super) fn take(&mut self, sender: MemberId) -> Option<Written> {
        let mut last = self.last.iter();
        let at = last.position(|sound| sound.header.sender == sender)?;
        Some(self.last.swap_remove(at))
    }
}

#[cfg(test)]
mod tests {
    use visita_protocol::{frame::References, id::TrackId, media::Layer, time::MediaTime};

    use super::*;

    fn sound(sender: u32, sequence: u32) -> Written {
        Written {
            header: Header {
                sender: MemberId(sender),
                track: TrackId(8),
                layer: Layer::default(),
                sequence,
                timestamp: MediaTime(7),
                chunk: 0,
                chunks: 1,
                references: References::NONE,
                level: None,
            },
            mid: Mid::from("1"),
            pt: 111.into(),
            captured: Instant::now(),
            time: str0m::media::MediaTime::from_micros(0),
            payload: Arc::from([]),
        }
    }

    #[test]
    fn on_a_line_that_loses_each_sound_comes_again_once() {
        let mut again = Again::default();
        let number = |written: Option<Written>| written.map(|written| written.header.sequence);
        again.written(sound(1, 0));
        assert_eq!(number(again.take(MemberId(1))), None, "nothing gets lost");
        again.lost(0.03);
        again.written(sound(1, 1));
        again.written(sound(2, 5));
        again.written(sound(1, 2));
        assert_eq!(number(again.take(MemberId(1))), Some(2));
        assert_eq!(number(again.take(MemberId(1))), None);
        again.lost(0.015);
        assert_eq!(number(again.take(MemberId(2))), Some(5));
        again.written(sound(2, 6));
        again.lost(0.0);
        assert_eq!(number(again.take(MemberId(2))), None);
    }
}
