//! Whatever is sealed is opened as it was, once, and nothing else is; whatever is dressed comes out of
//! its dress.

use proptest::{collection::vec, prelude::*};
use visita_protocol::{
    frame::Header,
    id::MemberId,
    media::Codec,
    sealed::{self, Clear, Epoch, Hint, Kid, dress},
    sframe::{self, BaseKey, Opener, Sealer, Suite, header},
};

const KEY: [u8; 16] = [3; 16];

fn codec() -> impl Strategy<Value = Codec> {
    use Codec::{H264, Jpeg, Opus, Vp8};
    prop::sample::select(vec![H264, Vp8, Jpeg, Opus])
}

/// Bytes in which start codes and what looks like their escapes are common.
fn zeros() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..40)
}

fn sealing(header: &Header, codec: Codec) -> (sealed::Sealer, sealed::Opener, Kid) {
    let kid = Kid {
        member: header.sender,
        epoch: Epoch(2),
        track: header.track,
    };
    let mut opener = sealed::Opener::new();
    opener.add(kid, &BaseKey::new(&KEY)).unwrap();
    let sealer = sealed::Sealer::new(kid, codec, BaseKey::new(&KEY));
    (sealer, opener, kid)
}

proptest! {
    #[test]
    fn any_bytes_begin_with_a_header_or_an_error(bytes in vec(any::<u8>(), 0..20)) {
        let Ok((header, length)) = header::Header::parse(&bytes) else { return Ok(()) };
        let mut written = Vec::new();
        header.write(&mut written);
        // There is one form of a header.
        prop_assert_eq!(&written, &bytes[..length]);
        prop_assert_eq!(header.len(), length);
    }

    #[test]
    fn headers_are_read_as_they_were_written(kid: u64, ctr: u64, short in 0..64_u32) {
        let header = header::Header { kid: kid >> short, ctr: ctr >> short };
        let mut written = Vec::new();
        header.write(&mut written);
        prop_assert_eq!(header::Header::parse(&written), Ok((header, written.len())));
    }

    #[test]
    fn sealed_frames_are_opened_as_they_were(
        header in super::bytes::header(),
        codec in codec(),
        whole: bool,
        payload in vec(any::<u8>(), 0..100),
    ) {
        let (mut sealer, mut opener, _) = sealing(&header, codec);
        let clear = if whole { Clear::Header } else { Clear::Nothing };
        let bytes = sealer.seal(&header, clear, &payload).unwrap();
        let opened = opener.open(Hint::Header(&header), codec, &bytes).unwrap();
        prop_assert_eq!(opened.header, Header { chunk: 0, chunks: 1, ..header });
        prop_assert_eq!(&opened.payload, &payload);
        let again = opener.open(Hint::Header(&header), codec, &bytes);
        let replayed = matches!(again, Err(sealed::Error::SFrame(sframe::Error::Replayed { .. })));
        prop_assert!(replayed);
    }

    /// A changed bit, anywhere, and no frame comes out.
    #[test]
    fn nothing_else_is_opened(
        header in super::bytes::header(),
        codec in codec(),
        payload in vec(any::<u8>(), 0..40),
        at: prop::sample::Index,
        bit in 0..8_u8,
        cut: Option<prop::sample::Index>,
    ) {
        let (mut sealer, mut opener, _) = sealing(&header, codec);
        let mut bytes = sealer.seal(&header, Clear::Header, &payload).unwrap();
        match cut {
            Some(cut) => bytes.truncate(cut.index(bytes.len())),
            None => *at.get_mut(&mut bytes) ^= 1 << bit,
        }
        let opened = opener.open(Hint::Header(&header), codec, &bytes);
        prop_assert!(matches!(opened, Err(sealed::Error::SFrame(_))), "{:?}", opened);
    }

    /// What stands in clear is what is inside, or the frame is refused.
    #[test]
    fn two_sides_agree(
        header in super::bytes::header(),
        other in super::bytes::header(),
        codec in codec(),
        sender: Option<u32>,
    ) {
        let (mut sealer, mut opener, kid) = sealing(&header, codec);
        let clear = Header {
            sender: sender.map_or(header.sender, MemberId),
            track: header.track,
            ..other
        };
        let bytes = sealer.seal(&header, Clear::Header, &[1]).unwrap();
        let same = Header { chunk: 0, chunks: 1, level: None, ..clear }
            == Header { chunk: 0, chunks: 1, level: None, ..header };
        let opened = opener.open(Hint::Header(&clear), codec, &bytes);
        prop_assert_eq!(opened.is_ok(), same && clear.sender == kid.member);
        if let Err(error) = opened {
            prop_assert!(matches!(error, sealed::Error::Disagree(_)), "{:?}", error);
        }
    }

    /// In whatever order frames come, however often: each is opened at most once, and none that isn't
    /// far behind is refused the first time.
    #[test]
    fn no_order_lets_a_frame_come_twice(order in vec(0..400_usize, 0..600)) {
        let mut sealer = Sealer::new(Suite::Aes128, 1, BaseKey::new(&KEY));
        let frames: Vec<_> = (0..400).map(|_| sealer.seal(&[], &[]).unwrap()).collect();
        let mut opener = Opener::new(Suite::Aes128);
        opener.add(1, &BaseKey::new(&KEY)).unwrap();
        let (mut came, mut highest) = (std::collections::BTreeSet::new(), 0);
        for ctr in order {
            let opened = opener.open(&[], &frames[ctr]).is_ok();
            let far = highest >= ctr + 128;
            prop_assert_eq!(opened, !far && !came.contains(&ctr));
            if opened {
                came.insert(ctr);
                highest = highest.max(ctr);
            }
        }
    }

    #[test]
    fn what_is_dressed_comes_out(codec in codec(), key: bool, sealed in zeros()) {
        let dressed = dress::dress(codec, key, &sealed).unwrap();
        let undressed = dress::undress(codec, &dressed).unwrap();
        prop_assert_eq!(&*undressed.sealed, &*sealed);
        prop_assert_eq!(undressed.key, key || matches!(codec, Codec::Opus | Codec::Jpeg));
        if codec == Codec::H264 {
            // A packetiser finds the NAL units that were meant, and no more.
            let starts = dressed.windows(3).filter(|three| three == &[0, 0, 1]);
            prop_assert_eq!(starts.count(), if key { 3 } else { 1 });
            let ends = dressed.windows(3).filter(|three| three == &[0, 0, 0]);
            prop_assert_eq!(ends.count(), if key { 3 } else { 1 });
            prop_assert!(!dressed.windows(3).any(|three| three == [0, 0, 2]));
        }
    }

    #[test]
    fn any_bytes_are_dressed_or_an_error(codec in codec(), key: bool, sealed in zeros(), bytes in zeros(), cut: prop::sample::Index) {
        let _ = dress::undress(codec, &bytes);
        let mut dressed = dress::dress(codec, key, &sealed).unwrap().into_owned();
        dressed.truncate(cut.index(dressed.len() + 1));
        dressed.extend_from_slice(&bytes);
        let _ = dress::undress(codec, &dressed);
    }
}
