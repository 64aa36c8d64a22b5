use std::{sync::mpsc, time::Duration};

use super::*;
use crate::{
    h264::encode::{Config, Encoder},
    marker,
    source::{
        Source as _, Synthetic,
        synthetic::{self, Pace},
    },
};

const SIZE: Size = Size::new(320, 180);
/// Long enough for any machine; nothing waits for it when all is well.
const AGES: Duration = Duration::from_mins(1);

fn frames(count: u32, keys: &[u32]) -> Vec<Frame> {
    let config = synthetic::Config::new(SIZE, 30).unwrap().paced(Pace::Free);
    let mut source = Synthetic::new(config).unwrap();
    let config = Config {
        bitrate: 4_000_000,
        ..Config::new(SIZE)
    };
    let mut encoder = Encoder::new(config).unwrap();
    let frame = |sequence| {
        if keys.contains(&sequence) {
            encoder.force_key().unwrap();
        }
        let picture = source.next().unwrap();
        let frame = encoder
            .encode(&picture)
            .unwrap()
            .expect("nothing is skipped at this rate");
        let (references, payload) = (frame.references, frame.bytes);
        Frame {
            sequence,
            time: picture.time(),
            references,
            payload,
        }
    };
    (0..count).map(frame).collect()
}

/// A receiver, and its events with the pictures' numbers.
fn start() -> (Receiver, mpsc::Receiver<Option<u32>>) {
    let (to_events, events) = mpsc::channel();
    let receiver = Receiver::start(Codec::H264, move |event| {
        let number = match event {
            Event::Picture(picture) => Some(marker::read(&picture).unwrap().number),
            Event::NeedKeyFrame => None,
        };
        let _ = to_events.send(number);
    })
    .unwrap();
    (receiver, events)
}

#[test]
fn pictures_come_in_order_and_the_newest_is_kept() {
    let (receiver, events) = start();
    for (frame, number) in frames(10, &[]).into_iter().zip(0..) {
        receiver.frame(frame);
        assert_eq!(events.recv_timeout(AGES), Ok(Some(number)));
    }
    let newest = receiver.newest().unwrap();
    assert_eq!(marker::read(&newest).unwrap().number, 9);
    assert_eq!(receiver.take(), Some(newest));
    assert_eq!(receiver.take(), None);
    let stats = receiver.stop();
    assert_eq!((stats.received, stats.decoded, stats.dropped), (10, 10, 0));
    assert_eq!(stats.size, Some(SIZE));
    assert!(stats.bytes > 0 && stats.first_picture.is_some());
    assert_eq!(stats.decode_us.count(), 10);
}

#[test]
fn after_a_loss_a_key_frame_is_asked_for_once_and_helps() {
    let (receiver, events) = start();
    for frame in frames(20, &[15]) {
        // The base layer's frame 4 is lost, and frame 17 of the upper layer after the key frame.
        if !matches!(frame.sequence, 4 | 16) {
            receiver.frame(frame);
        }
    }
    let mut got: Vec<_> = (0..4).map(|_| events.recv_timeout(AGES).unwrap()).collect();
    assert_eq!(got, [Some(0), Some(1), Some(2), Some(3)]);
    assert_eq!(events.recv_timeout(AGES), Ok(None), "asks for a key frame");
    got = (0..4).map(|_| events.recv_timeout(AGES).unwrap()).collect();
    assert_eq!(got, [Some(15), Some(17), Some(18), Some(19)]);
    let stats = receiver.stop();
    assert_eq!(
        (stats.received, stats.decoded, stats.dropped, stats.broken),
        (18, 8, 10, 0)
    );
}

#[test]
fn garbage_is_counted_and_the_next_key_frame_helps() {
    let (receiver, events) = start();
    for mut frame in frames(12, &[9]) {
        if frame.sequence == 6 {
            frame.payload = Bytes::from_static(b"this is no picture");
        }
        receiver.frame(frame);
    }
    let got: Vec<_> = (0..10)
        .map(|_| events.recv_timeout(AGES).unwrap())
        .collect();
    let expected = [
        Some(0),
        Some(1),
        Some(2),
        Some(3),
        Some(4),
        Some(5),
        None,
        Some(9),
        Some(10),
        Some(11),
    ];
    assert_eq!(got, expected);
    let stats = receiver.stop();
    assert_eq!((stats.decoded, stats.dropped, stats.broken), (9, 3, 1));
}

#[test]
fn a_decoder_that_is_behind_skips_to_a_key_frame() {
    // The callback holds the thread at the first picture until all frames are handed in.
    let (go, wait) = mpsc::channel::<()>();
    let (to_events, events) = mpsc::channel();
    let receiver = Receiver::start(Codec::H264, move |event| {
        let _ = wait.recv();
        let number = match event {
            Event::Picture(picture) => Some(marker::read(&picture).unwrap().number),
            Event::NeedKeyFrame => None,
        };
        let _ = to_events.send(number);
    })
    .unwrap();
    let all = frames(MOST_WAITING as u32 + 20, &[MOST_WAITING as u32 + 10]);
    let mut all = all.into_iter();
    receiver.frame(all.next().unwrap());
    while receiver.stats().decoded == 0 {
        std::thread::yield_now();
    }
    for frame in all {
        receiver.frame(frame);
    }
    drop(go);
    assert_eq!(events.recv_timeout(AGES), Ok(Some(0)));
    assert_eq!(events.recv_timeout(AGES), Ok(None), "asks for a key frame");
    let first_key = MOST_WAITING as u32 + 10;
    for number in first_key..first_key + 10 {
        assert_eq!(events.recv_timeout(AGES), Ok(Some(number)));
    }
    let stats = receiver.stop();
    assert_eq!(stats.decoded, 11);
    assert_eq!(stats.received, stats.decoded + stats.dropped);
}

#[test]
fn what_isnt_decoded_here_is_refused() {
    let vp8 = (!vp8::AVAILABLE).then_some(Codec::Vp8);
    for codec in vp8.into_iter().chain([Codec::Opus, Codec::Unknown]) {
        assert!(matches!(
            Receiver::start(codec, |_| {}),
            Err(Error::Codec(_))
        ));
    }
}

#[test]
fn stopping_does_not_wait_for_frames() {
    let (receiver, _events) = start();
    for frame in frames(20, &[]) {
        receiver.frame(frame);
    }
    let stats = receiver.stop();
    assert_eq!(stats.received, 20);
    assert_eq!(stats.decoded + stats.dropped, 20);
}
