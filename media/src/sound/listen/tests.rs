use super::{sender::Sender, *};
use crate::sound::{
    BLOCK_US, FRAME, FRAME_US,
    mix::{CEILING, Limiter, Mixer},
    opus::Encoder,
};

/// Long enough for any machine; nothing waits for it when all is well.
const AGES: Duration = Duration::from_mins(1);

fn packets(count: usize) -> Vec<Bytes> {
    let mut encoder = Encoder::new(32_000).unwrap();
    let mut at = 0_usize;
    (0..count)
        .map(|_| {
            let frame: [f32; FRAME] = std::array::from_fn(|_| {
                at += 1;
                0.4 * ((at as f32 * 200.0 / 48_000.0).fract() * std::f32::consts::TAU).sin()
            });
            Bytes::copy_from_slice(encoder.encode(&frame).unwrap())
        })
        .collect()
}

fn frame(number: usize, payload: &Bytes) -> Frame {
    Frame {
        sequence: number as u32,
        time: MediaTime(500_000_000 + number as u64 * FRAME_US),
        payload: payload.clone(),
    }
}

#[test]
fn a_sender_is_heard_and_counted() {
    let mut sender = Sender::default();
    let mut mixer = Mixer::new();
    assert_eq!(sender.playing(MediaTime(0)), None);
    let mut now = 500_060_000;
    for (number, packet) in packets(100).iter().enumerate() {
        sender.frame(frame(number, packet), MediaTime(now));
        for _ in 0..2 {
            sender.mix(MediaTime(now), MediaTime(now), 30_000, &mut mixer);
            mixer.take();
            now += BLOCK_US;
        }
    }
    let stats = sender.stats();
    assert_eq!(
        (stats.received, stats.dropped, stats.concealed_ms),
        (100, 0, 0)
    );
    assert!(stats.decoded >= 96, "{stats:?}");
    assert!((stats.mean_level_dbfs + 11.0).abs() < 1.5, "{stats:?}");
    assert!(stats.jitter_ms < 0.1);
    // It takes 60 ms, waits 20 to 60 for the jitter and a tick, and 30 for the output.
    let delay = stats.delay_us.at(0.5).unwrap();
    assert!((100_000..=160_000).contains(&delay), "{delay}");
    let playing = sender.playing(MediaTime(now)).unwrap();
    let behind = now - playing.0;
    assert!((100_000..=160_000).contains(&behind), "{behind}");
}

#[test]
fn volume_and_garbage() {
    let mut quiet = Sender::default();
    quiet.volume(0.0);
    let mut noisy = Sender::default();
    noisy.volume(f32::NAN);
    let (mut mixer, mut limiter) = (Mixer::new(), Limiter::new());
    let mut now = 500_000_000;
    for (number, packet) in packets(100).iter().enumerate() {
        quiet.frame(frame(number, packet), MediaTime(now));
        let garbage: Bytes = (0..number as u32)
            .map(|at| (at * 7_919 % 253) as u8)
            .collect();
        noisy.frame(frame(number, &garbage), MediaTime(now));
        for _ in 0..2 {
            quiet.mix(MediaTime(now), MediaTime(now), 0, &mut mixer);
            if number > 0 {
                assert!(mixer.take().iter().all(|sample| *sample == 0.0));
            }
            noisy.mix(MediaTime(now), MediaTime(now), 0, &mut mixer);
            let mut block = mixer.take();
            limiter.block(&mut block);
            assert!(block.iter().all(|sample| sample.abs() <= CEILING));
            now += BLOCK_US;
        }
    }
    let stats = noisy.stats();
    assert!(stats.broken > 30, "{stats:?}");
    assert_eq!(stats.dropped, stats.broken, "{stats:?}");
}

#[test]
fn nothing_is_heard_but_all_is_decoded_without_a_device() {
    let (to_events, events) = mpsc::channel();
    let listener = Listener::start(Output::None, Played::new(), move |event| {
        drop(to_events.send(event));
    })
    .unwrap();
    let member = MemberId(7);
    assert!(listener.stats(member).is_none());
    for (number, packet) in packets(40).iter().enumerate() {
        listener.frame(member, frame(number, packet));
    }
    let begin = std::time::Instant::now();
    // They come all at once, so that most are too old to be played.
    let done = |stats: Stats| stats.decoded > 0 && stats.decoded + stats.dropped >= 35;
    while !done(listener.stats(member).unwrap()) {
        assert!(begin.elapsed() < AGES);
        thread::sleep(Duration::from_millis(5));
    }
    assert!(listener.played().blocks > 0);
    assert_eq!(listener.levels().len(), 1);
    listener.forget(member);
    assert!(listener.stats(member).is_none());
    listener.stop();
    assert!(events.try_recv().is_err());
}

#[test]
fn senders_are_bounded() {
    let listener = Listener::start(Output::None, Played::new(), |_| {}).unwrap();
    for number in 0..10_000 {
        let frame = frame(0, &Bytes::from_static(&[1]));
        listener.frame(MemberId(number), frame);
        listener.volume(MemberId(20_000 + number), 0.5);
    }
    assert_eq!(listener.levels().len(), MOST_SENDERS);
}

#[test]
fn outputs_are_understood() {
    let of = |text: &str| text.parse::<Output>();
    assert_eq!(of("none").unwrap(), Output::None);
    assert_eq!(of("device").unwrap(), Output::Device(None));
    let id = DeviceId::new("pulseaudio:out");
    assert_eq!(
        of("device:pulseaudio:out").unwrap(),
        Output::Device(Some(id))
    );
    for bad in ["", "Device", "device:", "none:", "file:x.wav"] {
        assert!(of(bad).unwrap_err().to_string().contains("use device"));
    }
}
