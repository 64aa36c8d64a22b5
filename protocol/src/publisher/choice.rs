//! Which of a sender's alternative tracks are encoded: those that everybody who shows it can
//! decode between them, at the least cost to the sender.
//!
//! Bits are the line's matter and the same for H.264 and VP8. JPEG takes 6.9 times as many at the
//! same likeness, so nobody gets it who can decode another; with that settled, only encoding is
//! left to be counted.

use crate::media::Codec;

/// The codecs of pictures, best first, with what encoding a pixel costs, H.264 = 10. Measured on a
/// server's core at the same quality: openh264 1, libvpx in real time 4.3, turbojpeg 0.8. (Our own
/// libvpx, set to a speed of 8, takes about 1.5; what browsers' take isn't known, so the larger counts.)
const COSTS: [(Codec, u64); 3] = [(Codec::H264, 10), (Codec::Vp8, 43), (Codec::Jpeg, 8)];

/// What another choice must save to be worth its key frames, in percent of what the one made before
/// costs: a window that is drawn a little larger and smaller again changes nothing. VP8 alone
/// instead of both saves 19.
const WORTH: u64 = 15;

/// A set of codecs of pictures: a bit for each of [`COSTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Codecs(u8);

impl Codecs {
    /// Those of pictures among these.
    pub(super) fn of(codecs: impl IntoIterator<Item = Codec>) -> Self {
        let place = |codec| COSTS.iter().position(|&(known, _)| known == codec);
        let places = codecs.into_iter().filter_map(place);
        Self(places.fold(0, |set, place| set | 1 << place))
    }

    pub(super) fn has(self, codec: Codec) -> bool {
        !self.both(Self::of([codec])).is_empty()
    }

    /// Those that are in both.
    pub(super) fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The place in [`COSTS`] of the one that a receiver is given of them.
    fn best(self) -> Option<usize> {
        (!self.is_empty()).then(|| self.0.trailing_zeros() as usize)
    }
}

/// What a receiver could be given of a sender's camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The codecs of the sender's tracks that it decodes: one at least.
    pub(super) codecs: Codecs,
    /// The pixels of the picture that it shows, as far as the sender has so many: one at least.
    pub(super) pixels: u32,
}

/// The codecs to encode. `before` is what was chosen last: it stays as long as it serves everybody
/// and nothing else is much cheaper.
pub(super) fn choose(before: Codecs, wishes: impl Iterator<Item = Wish> + Clone) -> Codecs {
    let sets = (0..1 << COSTS.len()).map(Codecs);
    let costs = sets.filter_map(|set| Some((cost(set, wishes.clone())?, set)));
    let Some((least, cheapest)) = costs.min() else {
        return Codecs::default();
    };
    match cost(before, wishes) {
        Some(cost) if cost * (100 - WORTH) <= least * 100 => before,
        _ => cheapest,
    }
}

/// What encoding a set costs; `None` if it leaves somebody without a picture or gives one JPEG who
/// could have another, or if nobody gets one of its codecs.
fn cost(set: Codecs, wishes: impl Iterator<Item = Wish>) -> Option<u64> {
    let mut pixels = [0; COSTS.len()];
    for wish in wishes {
        let given = set.both(wish.codecs).best()?;
        if COSTS[given].0 == Codec::Jpeg && wish.codecs.best() != Some(given) {
            return None;
        }
        pixels[given] = wish.pixels.max(pixels[given]);
    }
    let mut sum = 0;
    for (place, (&(_, cost), pixels)) in COSTS.iter().zip(pixels).enumerate() {
        if set.0 & 1 << place != 0 && pixels == 0 {
            return None;
        }
        sum += cost * u64::from(pixels);
    }
    Some(sum)
}

#[cfg(test)]
mod tests;
