//! What is repeated comes back as it was, whatever gets lost; what isn't redundancy is an error.

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use visita_protocol::{
    losses::Losses,
    red::{self, MAX_COPIES, MAX_REPEATED, Older, Packets, Repeater},
    time::{MediaTime, Now},
};

fn packet() -> impl Strategy<Value = Bytes> {
    // Any Opus packet of 20 ms, as far as its first byte goes, of any size.
    let size = prop_oneof![4 => 0..120_usize, 1 => 0..1_275_usize];
    (0..0xe0_u8, size, any::<u8>()).prop_map(|(first, size, fill)| {
        let mut packet = vec![first];
        packet.resize(1 + size, fill);
        packet.into()
    })
}

fn packets() -> impl Strategy<Value = Packets> {
    let older = vec((1..=0x3fff_u16, packet()), 1..=MAX_COPIES);
    (older, packet()).prop_map(|(mut older, primary)| {
        older.sort_by_key(|(offset, _)| std::cmp::Reverse(*offset));
        older.dedup_by_key(|(offset, _)| *offset);
        let older = older.into_iter().map(|(offset, mut packet)| {
            packet.truncate(MAX_REPEATED);
            Older { offset, packet }
        });
        Packets {
            older: older.collect(),
            primary,
        }
    })
}

/// Bytes that are nearly a payload: written, then spoiled here and there, and cut.
fn nearly() -> impl Strategy<Value = Bytes> {
    let spoil = vec((0..20_usize, any::<u8>()), 0..4);
    (packets(), spoil, 0..400_usize).prop_map(|(packets, spoil, cut)| {
        let mut payload = packets.write().unwrap().to_vec();
        for (at, byte) in spoil {
            if let Some(place) = payload.get_mut(at) {
                *place = byte;
            }
        }
        payload.truncate(cut);
        payload.into()
    })
}

fn reads_or_not(payload: &Bytes) -> Result<(), TestCaseError> {
    let Ok(packets) = Packets::read(payload) else {
        return Ok(());
    };
    prop_assert!(red::is_redundant(payload));
    prop_assert!((1..=MAX_COPIES).contains(&packets.older.len()));
    prop_assert_eq!(packets.write(), Some(payload.clone()));
    let numbered: Vec<_> = packets.numbered(1, MediaTime(1_000_000)).collect();
    prop_assert!(numbered.iter().all(|older| older.sequence == 0));
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_redundancy_or_an_error(payload in vec(any::<u8>(), 0..80)) {
        reads_or_not(&payload.into())?;
    }

    #[test]
    fn bytes_that_are_nearly_redundancy_are_some_or_an_error(payload in nearly()) {
        reads_or_not(&payload)?;
    }

    #[test]
    fn what_was_written_is_read(packets in packets()) {
        let payload = packets.write().unwrap();
        prop_assert_eq!(Packets::read(&payload), Ok(packets));
    }

    /// Whatever is sent when, and however much is repeated: each packet that comes back has the
    /// number, the time and the bytes that it had, is none from before a pause, and no payload is
    /// taken for something else.
    #[test]
    fn what_is_repeated_is_what_was_sent(
        frames in vec((prop_oneof![8 => 19_000..21_000_u64, 1 => 0..2_000_000_u64], packet(), 0..4_usize), 1..60),
    ) {
        let mut repeater = Repeater::new();
        let (mut time, mut sent) = (0, Vec::new());
        for (sequence, (pause, packet, copies)) in frames.into_iter().enumerate() {
            time += pause;
            let payload = repeater.payload(MediaTime(time), packet.clone(), copies);
            sent.push((time, packet.clone()));
            if !red::is_redundant(&payload) {
                prop_assert_eq!(payload, packet);
                continue;
            }
            let packets = Packets::read(&payload).unwrap();
            prop_assert_eq!(&packets.primary, &packet);
            prop_assert!(packets.older.len() <= copies.min(MAX_COPIES));
            for older in packets.numbered(sequence as u32, MediaTime(time)) {
                let (before, packet) = &sent[older.sequence as usize];
                prop_assert_eq!(&older.packet, packet);
                prop_assert!(older.time.0.abs_diff(*before) <= 11, "{} {before}", older.time.0);
                prop_assert!(time - before <= 50_000);
            }
        }
    }

    /// Whatever numbers come: what is told is a percentage, and told rarely.
    #[test]
    fn losses_are_told_rarely(
        numbers in vec((prop_oneof![8 => 1..4_u32, 1 => any::<u32>()], 0..100_u64), 0..3_000),
    ) {
        let mut losses = Losses::new();
        let (mut now, mut sequence, mut told) = (Now(0), 0_u32, None::<Now>);
        for (step, ms) in numbers {
            sequence = sequence.wrapping_add(step);
            now = now.plus(std::time::Duration::from_millis(ms));
            let Some(percent) = losses.came(now, sequence) else { continue };
            prop_assert!(percent <= 100);
            prop_assert_eq!(losses.told(), percent);
            if let Some(told) = told.replace(now) {
                prop_assert!(now.since(told).as_secs() >= 2);
            }
        }
    }
}
