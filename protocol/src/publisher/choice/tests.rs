use Codec::{H264, Jpeg, Vp8};
use proptest::{collection::vec, prelude::*};

use super::*;

const LARGE: u32 = 640 * 360;
const SMALL: u32 = 320 * 180;

/// The usual member, a browser without H.264, a device without VP8, and one that has neither.
const ANY: &[Codec] = &[H264, Vp8, Jpeg];
const NO_H264: &[Codec] = &[Vp8, Jpeg];
const NO_VP8: &[Codec] = &[H264, Jpeg];
const NEITHER: &[Codec] = &[Jpeg];

fn set(codecs: &[Codec]) -> Codecs {
    Codecs::of(codecs.iter().copied())
}

/// What is chosen for these, each with its pixels, after `before`.
fn after(before: &[Codec], wishes: &[(&[Codec], u32)]) -> Codecs {
    let wishes = wishes.iter().map(|&(codecs, pixels)| Wish {
        codecs: set(codecs),
        pixels,
    });
    choose(set(before), wishes)
}

#[test]
fn worked_examples() {
    let room = |wishes: &[(&[Codec], u32)]| after(&[], wishes);
    assert_eq!(room(&[]), set(&[]), "nobody shows it");
    assert_eq!(room(&[(ANY, LARGE), (ANY, SMALL)]), set(&[H264]));
    // 4.3 is less than 1 + 4.3: one picture for all.
    assert_eq!(room(&[(ANY, LARGE), (NO_H264, LARGE)]), set(&[Vp8]));
    assert_eq!(room(&[(NO_H264, LARGE)]), set(&[Vp8]));
    // Shown in a quarter of the pixels: 1 + 4.3 / 4 is less than 4.3.
    assert_eq!(room(&[(ANY, LARGE), (NO_H264, SMALL)]), set(&[H264, Vp8]));
    // Nothing is left to choose where one has only H.264 and another only VP8.
    assert_eq!(
        room(&[(ANY, LARGE), (NO_VP8, LARGE), (NO_H264, LARGE)]),
        set(&[H264, Vp8])
    );
    // JPEG beside the others for whom there is nothing else, never instead of them.
    assert_eq!(room(&[(ANY, LARGE), (NEITHER, LARGE)]), set(&[H264, Jpeg]));
    assert_eq!(
        room(&[(NO_H264, LARGE), (NEITHER, LARGE)]),
        set(&[Vp8, Jpeg])
    );
    assert_eq!(room(&[(NEITHER, SMALL)]), set(&[Jpeg]));
    assert_eq!(
        room(&[(NO_VP8, LARGE), (NO_H264, SMALL), (NEITHER, SMALL)]),
        set(&[H264, Vp8, Jpeg])
    );
}

#[test]
fn it_goes_back_when_that_member_leaves() {
    let with: &[(&[Codec], u32)] = &[(ANY, LARGE), (ANY, LARGE), (NO_H264, LARGE)];
    assert_eq!(after(&[H264], with), set(&[Vp8]));
    assert_eq!(after(&[Vp8], &with[..2]), set(&[H264]));
    // Both were needed for one without VP8: without that one, VP8 alone.
    assert_eq!(after(&[H264, Vp8], with), set(&[Vp8]));
    assert_eq!(after(&[H264, Jpeg], &with[..2]), set(&[H264]));
}

#[test]
fn what_is_little_cheaper_is_left_alone() {
    // Both cost as much as VP8 alone where it is shown in 33/43 of the pixels.
    let shown = |thousandths: u32| LARGE / 1000 * thousandths;
    let with = |before: &[Codec], thousandths| {
        after(before, &[(ANY, LARGE), (NO_H264, shown(thousandths))])
    };
    for (before, thousandths, then) in [
        (&[Vp8][..], 650, &[Vp8][..]),
        (&[Vp8], 500, &[H264, Vp8]),
        (&[H264, Vp8], 650, &[H264, Vp8]),
        (&[H264, Vp8], 900, &[H264, Vp8]),
        (&[H264, Vp8], 1000, &[Vp8]),
        // What serves somebody no longer goes at once, however little it costs.
        (&[H264], 1, &[H264, Vp8]),
    ] {
        assert_eq!(
            with(before, thousandths),
            set(then),
            "{before:?} {thousandths}"
        );
    }
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wish = (1..8_u8, 1..=LARGE).prop_map(|(codecs, pixels)| Wish {
        codecs: Codecs(codecs),
        pixels,
    });
    vec(wish, 0..8)
}

/// What a choice costs, said as simply as possible: whoever gets a picture gets the best that it
/// can.
fn price(set: Codecs, wishes: &[Wish]) -> u64 {
    let each = COSTS.iter().map(|&(codec, cost)| {
        let gets = |wish: &&Wish| {
            let gets = [H264, Vp8, Jpeg]
                .into_iter()
                .find(|&codec| set.has(codec) && wish.codecs.has(codec));
            gets == Some(codec)
        };
        let most = wishes.iter().filter(gets).map(|wish| wish.pixels).max();
        cost * u64::from(most.unwrap_or(0))
    });
    each.sum()
}

proptest! {
    #[test]
    fn everybody_is_served_and_jpeg_is_the_last_resort(before in 0..8_u8, wishes in wishes()) {
        let chosen = choose(Codecs(before), wishes.iter().copied());
        for wish in &wishes {
            prop_assert!(!chosen.both(wish.codecs).is_empty());
            let other = wish.codecs.has(H264) || wish.codecs.has(Vp8);
            prop_assert!(!other || chosen.both(wish.codecs) != set(&[Jpeg]));
        }
        let needed = wishes.iter().any(|wish| wish.codecs == set(&[Jpeg]));
        prop_assert_eq!(chosen.has(Jpeg), needed);
    }

    #[test]
    fn nothing_that_serves_everybody_is_much_cheaper(before in 0..8_u8, wishes in wishes()) {
        let chosen = choose(Codecs(before), wishes.iter().copied());
        let jpeg = chosen.both(set(&[Jpeg]));
        for other in [set(&[]), set(&[H264]), set(&[Vp8]), set(&[H264, Vp8])] {
            let other = Codecs(other.0 | jpeg.0);
            let serves = wishes.iter().all(|wish| {
                let gets = other.both(wish.codecs);
                !gets.is_empty() && (gets != set(&[Jpeg]) || wish.codecs == gets)
            });
            if serves {
                let (chosen, other) = (price(chosen, &wishes), price(other, &wishes));
                prop_assert!(chosen * (100 - WORTH) <= other * 100, "{chosen} and {other}");
            }
        }
    }

    /// What was chosen stays until something changes, and who comes in another order changes
    /// nothing.
    #[test]
    fn it_rests(before in 0..8_u8, wishes in wishes()) {
        let chosen = choose(Codecs(before), wishes.iter().copied());
        prop_assert_eq!(choose(chosen, wishes.iter().copied()), chosen);
        prop_assert_eq!(choose(Codecs(before), wishes.iter().rev().copied()), chosen);
    }
}
