//! The spatial layers of a camera's track: which sizes, which of them are for somebody, and what each
//! may cost. Pure.

use std::collections::VecDeque;

use visita_protocol::{frame::References, media::Size};

use crate::{convert, video::bitrate};

/// The small layer's part of a side.
const PART: u16 = 2;
/// A picture of fewer pixels goes in one layer: a smaller one would be no picture.
const LEAST: u32 = 320 * 180 * (PART as u32) * (PART as u32);

/// The sizes of the layers of pictures that are so large at most, smallest first.
pub(super) fn layers(most: Size) -> Vec<Size> {
    if most.area() < LEAST {
        return vec![most];
    }
    vec![small(most), most]
}

fn small(most: Size) -> Size {
    let side = |side: u16| (side / PART) & !1;
    Size::new(side(most.width), side(most.height))
}

/// The size of the small layer beside the whole one, if anybody is for the whole one: `wanted` is the
/// largest at which the picture is shown, and `full` the largest that can be sent of it.
pub(super) fn beside(full: Size, wanted: Size) -> Option<Size> {
    if full.area() < LEAST {
        return None;
    }
    let (small, needed) = (small(full), convert::fit(full, wanted));
    let covers = needed.width <= small.width && needed.height <= small.height;
    (!covers).then_some(small)
}

/// What the small layer costs beside the whole one: so little that its base alone passes beside sound on
/// a line of 200 kbit/s, which is whom it is for.
fn least(size: Size) -> u32 {
    bitrate(size) / 5 * 3
}

/// Bits a second for a picture of which so much can be sent, and that is shown as large as `wanted` at
/// most: those of all its layers.
pub fn bits(full: Size, wanted: Size) -> u32 {
    bitrate(convert::fit(full, wanted)) + beside(full, wanted).map_or(0, least)
}

/// What of `all` bits goes to the layer of this size, beside one of the other.
pub(super) fn share(all: u32, size: Size, other: Option<Size>) -> u32 {
    let Some(other) = other else {
        return all;
    };
    let is_small = size.area() < other.area();
    let (own, others) = if is_small {
        (least(size), bitrate(other))
    } else {
        (bitrate(size), least(other))
    };
    let (own, others) = (u64::from(own), u64::from(others));
    (u64::from(all) * own / (own + others)) as u32
}

/// How far back its encoder's references reach at most: two temporal layers, and what rate control
/// leaves out between.
const REACH: usize = 64;

/// Which of a track's numbers a layer's last frames have, newest last: other layers' frames are between
/// them.
#[derive(Debug, Default)]
pub(super) struct Numbers(VecDeque<u32>);

impl Numbers {
    /// The references of a frame with this number, whose encoder counts its own frames; `None` if they
    /// reach too far back.
    pub(super) fn references(&self, number: u32, own: References) -> Option<References> {
        let back = own.distances().iter().map(|&distance| {
            let at = self.0.len().checked_sub(usize::from(distance))?;
            u16::try_from(number.wrapping_sub(*self.0.get(at)?)).ok()
        });
        References::new(&back.collect::<Option<Vec<u16>>>()?)
    }

    /// A frame has this number.
    pub(super) fn push(&mut self, number: u32) {
        if self.0.len() == REACH {
            self.0.pop_front();
        }
        self.0.push_back(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Size = Size::new(640, 360);
    const SMALL: Size = Size::new(320, 180);

    #[test]
    fn a_camera_goes_in_two_layers_and_a_small_one_in_one() {
        assert_eq!(layers(FULL), [SMALL, FULL]);
        assert_eq!(
            layers(Size::new(360, 640)),
            [Size::new(180, 320), Size::new(360, 640)]
        );
        assert_eq!(layers(Size::new(320, 240)), [Size::new(320, 240)]);
    }

    #[test]
    fn the_whole_one_goes_only_for_somebody() {
        assert_eq!(beside(FULL, FULL), Some(SMALL));
        assert_eq!(beside(FULL, Size::new(4000, 4000)), Some(SMALL));
        assert_eq!(beside(FULL, Size::new(480, 270)), Some(SMALL));
        assert_eq!(beside(FULL, SMALL), None);
        assert_eq!(beside(FULL, Size::new(320, 4000)), None, "it fits in there");
        assert_eq!(beside(SMALL, FULL), None, "there is no more of it");
    }

    #[test]
    fn the_layers_share_the_bits() {
        let (own, other) = (bitrate(FULL), least(SMALL));
        assert_eq!(bits(FULL, FULL), own + other);
        assert_eq!(share(own + other, FULL, Some(SMALL)), own);
        assert_eq!(share(3 * (own + other), SMALL, Some(FULL)), 3 * other);
        let alone = bitrate(SMALL);
        assert_eq!(
            (bits(FULL, SMALL), share(alone, SMALL, None)),
            (alone, alone)
        );
    }

    #[test]
    fn references_skip_the_other_layers_frames() {
        let mut numbers = Numbers::default();
        let own = |back: u16| References::new(&[back]).unwrap();
        assert_eq!(
            numbers.references(0, References::NONE),
            Some(References::NONE)
        );
        assert_eq!(numbers.references(0, own(1)), None);
        for number in [0, 2, 3, 7] {
            numbers.push(number);
        }
        assert_eq!(numbers.references(9, own(1)), Some(own(2)));
        assert_eq!(numbers.references(9, own(2)), Some(own(6)));
        assert_eq!(numbers.references(9, own(5)), None);
        for number in 10..200 {
            numbers.push(number);
        }
        assert_eq!(numbers.references(200, own(64)), Some(own(64)));
        assert_eq!(numbers.references(200, own(65)), None);
    }
}
