use std::sync::mpsc;

use super::*;
use crate::{
    marker, receive,
    source::{
        Error, Source, Synthetic,
        synthetic::{self, Pace},
    },
};

/// Long enough for any machine; nothing waits for it when all is well.
const AGES: Duration = Duration::from_mins(1);

const H264: TrackId = TrackId(0);
const JPEG: TrackId = TrackId(1);

#[expect(clippy::unnecessary_wraps, reason = "as the publisher takes it")]
fn synthetic(width: u16, height: u16) -> Option<Opener> {
    let config = synthetic::Config::new(Size::new(width, height), 100).unwrap();
    Some(Box::new(move || Ok(Box::new(Synthetic::new(config)?))))
}

fn wanted(tracks: &[(TrackId, u16, u16)]) -> Vec<SendTrack> {
    tracks
        .iter()
        .map(|&(track, width, height)| SendTrack {
            track,
            size: Size::new(width, height),
        })
        .collect()
}

struct Running {
    publisher: Publisher,
    encoded: mpsc::Receiver<Encoded>,
    events: mpsc::Receiver<Event>,
}

fn start(source: Option<Opener>) -> Running {
    let limits = Limits {
        h264_fps: 100,
        jpeg_fps: 100,
        ..Limits::default()
    };
    let (to_encoded, encoded) = mpsc::channel();
    let (to_events, events) = mpsc::channel();
    let publisher = Publisher::start(
        Config {
            source,
            tracks: camera_tracks(limits),
            limits,
        },
        move |event| {
            let _ = to_events.send(event);
        },
        move |frame| {
            let _ = to_encoded.send(frame);
        },
    )
    .unwrap();
    Running {
        publisher,
        encoded,
        events,
    }
}

impl Running {
    fn frame(&self) -> Encoded {
        self.encoded.recv_timeout(AGES).unwrap()
    }

    fn frame_where(&self, found: impl Fn(&Encoded) -> bool) -> Encoded {
        std::iter::repeat_with(|| self.frame()).find(found).unwrap()
    }

    fn event_other_than_pictures(&self) -> Event {
        let mut events = std::iter::repeat_with(|| self.events.recv_timeout(AGES).unwrap());
        events
            .find(|event| !matches!(event, Event::Picture(_)))
            .unwrap()
    }
}

#[test]
fn only_what_is_wanted_is_encoded_at_the_size_that_is_wanted() {
    let running = start(synthetic(640, 360));
    let Event::Started { name, size } = running.event_other_than_pictures() else {
        panic!()
    };
    assert_eq!((name.as_str(), size), ("synthetic", Size::new(640, 360)));
    let next = running.events.recv_timeout(AGES);
    assert!(matches!(next, Ok(Event::Picture(_))));
    assert!(running.publisher.own().is_some());
    assert!(running.encoded.try_recv().is_err(), "nothing is wanted yet");

    running.publisher.wanted(&wanted(&[(H264, 4000, 4000)]));
    let first = running.frame();
    assert_eq!((first.track, first.sequence), (H264, 0));
    assert_eq!(first.size, Size::new(640, 360));
    assert!(first.references.is_key());
    // Beside it, of the same picture, the small layer.
    let small = running.frame();
    assert_eq!((small.sequence, small.time), (1, first.time));
    assert_eq!((small.layer.spatial, small.size), (0, Size::new(320, 180)));
    assert!(first.largest && small.references.is_key() && !small.largest);
    let second = running.frame();
    assert_eq!((second.sequence, second.layer.spatial), (2, 1));
    assert_eq!(second.references.distances(), [2], "its own layer's");

    running
        .publisher
        .wanted(&wanted(&[(H264, 300, 200), (JPEG, 4000, 4000)]));
    // In whichever order: a picture may come too soon for one track and not for the other.
    let (mut small, mut jpeg) = (None, None);
    while small.is_none() || jpeg.is_none() {
        let frame = running.frame();
        if frame.track == JPEG {
            jpeg.get_or_insert(frame);
        } else if frame.largest && frame.size == Size::new(320, 180) {
            small.get_or_insert(frame);
        }
    }
    let (small, jpeg) = (small.unwrap(), jpeg.unwrap());
    assert!(
        small.references.is_key(),
        "another size begins with a key frame"
    );
    assert_eq!((jpeg.sequence, jpeg.size), (0, Size::new(480, 270)));
    assert!(jpeg.references.is_key());
    assert!(jpeg.payload.starts_with(&[0xff, 0xd8]));

    let sent = running.publisher.stop();
    let codecs: Vec<_> = sent
        .iter()
        .map(|sent| (sent.codec, sent.encode_us.count() == sent.frames))
        .collect();
    assert_eq!(codecs, [(Codec::H264, true), (Codec::Jpeg, true)]);
    assert_eq!(sent[0].size, Size::new(320, 180));
    assert!(
        sent.iter()
            .all(|sent| sent.bytes > 0 && sent.encode_us.at(0.95) > Some(0))
    );
}

#[test]
fn numbers_go_on_over_pauses_which_end_with_a_key_frame() {
    let running = start(synthetic(320, 180));
    running.publisher.wanted(&wanted(&[(H264, 640, 360)]));
    let mut last = running.frame_where(|frame| frame.sequence == 5).sequence;
    running.publisher.wanted(&[]);
    running.publisher.wanted(&wanted(&[(JPEG, 640, 360)]));
    while running.frame().track != JPEG {
        last += 1;
    }
    running.publisher.wanted(&wanted(&[(H264, 640, 360)]));
    let next = running.frame_where(|frame| frame.track == H264);
    assert_eq!(next.sequence, last + 1);
    assert!(next.references.is_key());
}

#[test]
fn a_key_frame_comes_when_it_is_asked_for() {
    let running = start(synthetic(320, 180));
    running.publisher.wanted(&wanted(&[(H264, 640, 360)]));
    running.frame_where(|frame| frame.sequence == 3);
    running.publisher.key_frame(H264);
    let key = running.frame_where(|frame| frame.references.is_key());
    assert!(key.sequence > 3);
    running.publisher.bitrate(H264, 100_000);
    running.frame_where(|frame| frame.sequence > key.sequence + 3 && !frame.references.is_key());
}

#[test]
fn the_source_can_be_changed_and_closed() {
    let running = start(None);
    running.publisher.wanted(&wanted(&[(H264, 4000, 4000)]));
    running.publisher.source(synthetic(320, 180));
    assert_eq!(running.frame().size, Size::new(320, 180));
    running.publisher.source(synthetic(640, 360));
    let next = running.frame_where(|frame| frame.size == Size::new(640, 360));
    assert!(next.references.is_key());
    assert!(next.sequence > 0);
    running.publisher.source(None);
    while running.publisher.own().is_some() {
        std::thread::yield_now();
    }
}

/// Fails to open as often as it is told, then gives pictures and fails.
struct Failing {
    inner: Synthetic,
    left: u32,
}

impl Source for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn next(&mut self) -> Result<Picture, Error> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Error::Lost("unplugged".into()))?;
        self.inner.next()
    }
}

#[test]
fn loss_and_refusal_are_events_and_the_next_source_works() {
    let config = synthetic::Config::new(Size::new(320, 180), 100)
        .unwrap()
        .paced(Pace::Free);
    let open = move || -> Result<Box<dyn Source>, Error> {
        Ok(Box::new(Failing {
            inner: Synthetic::new(config)?,
            left: 3,
        }))
    };
    let running = start(Some(Box::new(open)));
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
    let Event::Stopped(Error::Lost(why)) = running.event_other_than_pictures() else {
        panic!()
    };
    assert_eq!(why, "unplugged");

    for error in [Error::Denied, Error::Busy, Error::Missing] {
        let refuse = error.clone();
        running
            .publisher
            .source(Some(Box::new(move || Err(refuse.clone()))));
        // The lost source may have been opened again in between.
        let stopped = std::iter::repeat_with(|| running.event_other_than_pictures())
            .find(|event| matches!(event, Event::Stopped(got) if *got == error));
        assert!(stopped.is_some());
        assert_eq!(running.publisher.own(), None);
    }
    running.publisher.source(synthetic(320, 180));
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
}

/// Gives a picture, then hangs as a driver does, until it is let go.
struct Hanging {
    inner: Synthetic,
    first: bool,
    release: mpsc::Receiver<()>,
}

impl Source for Hanging {
    fn name(&self) -> &'static str {
        "hanging"
    }

    fn next(&mut self) -> Result<Picture, Error> {
        if !std::mem::take(&mut self.first) {
            let _ = self.release.recv();
        }
        self.inner.next()
    }
}

#[test]
fn a_source_that_hangs_is_said_and_holds_up_nothing() {
    let (release, released) = mpsc::channel::<()>();
    let mut released = Some(released);
    let open = move || -> Result<Box<dyn Source>, Error> {
        let release = released.take().ok_or(Error::Missing)?;
        let inner = Synthetic::new(synthetic::Config::default())?;
        Ok(Box::new(Hanging {
            inner,
            first: true,
            release,
        }))
    };
    let running = start(Some(Box::new(open)));
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
    let Event::Stopped(Error::Lost(_)) = running.event_other_than_pictures() else {
        panic!()
    };
    assert_eq!(running.publisher.own(), None);
    release.send(()).unwrap();
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
    // It hangs again, and is left behind.
    running.publisher.stop();
    drop(release);
}

#[test]
fn a_lost_source_is_tried_again_by_itself() {
    let mut tries = 0;
    let open = move || -> Result<Box<dyn Source>, Error> {
        tries += 1;
        match tries {
            1 => Err(Error::Missing),
            _ => Ok(Box::new(Synthetic::new(synthetic::Config::default())?)),
        }
    };
    let running = start(Some(Box::new(open)));
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Stopped(Error::Missing)
    ));
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
}

/// A camera on a cable that a test holds.
#[derive(Clone, Default)]
struct Cable(Arc<Mutex<Plug>>);

#[derive(Default)]
struct Plug {
    out: bool,
    taken: bool,
    opened: u32,
}

struct Plugged {
    cable: Cable,
    inner: Synthetic,
}

impl Cable {
    fn opener(&self) -> Opener {
        let cable = self.clone();
        Box::new(move || {
            let mut plug = lock(&cable.0);
            if plug.out {
                return Err(Error::Missing);
            }
            if plug.taken {
                return Err(Error::Busy);
            }
            plug.opened += 1;
            drop(plug);
            let config = synthetic::Config::new(Size::new(320, 180), 100).unwrap();
            Ok(Box::new(Plugged {
                cable: cable.clone(),
                inner: Synthetic::new(config)?,
            }))
        })
    }
}

impl Source for Plugged {
    fn name(&self) -> &'static str {
        "plugged"
    }

    fn next(&mut self) -> Result<Picture, Error> {
        if lock(&self.cable.0).out {
            return Err(Error::Lost("unplugged".into()));
        }
        self.inner.next()
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        lock(&self.cable.0).opened -= 1;
    }
}

#[test]
fn a_camera_that_is_unplugged_and_plugged_in_again_is_seen_again() {
    let cable = Cable::default();
    let running = start(Some(cable.opener()));
    running.publisher.wanted(&wanted(&[(H264, 640, 360)]));
    running.frame_where(|frame| frame.sequence == 3);
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
    lock(&cable.0).out = true;
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Stopped(Error::Lost(_))
    ));
    assert_eq!(lock(&cable.0).opened, 0, "nothing is held meanwhile");
    lock(&cable.0).out = false;
    // Nothing was said in between: it is the same loss until pictures come.
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
    let back = crate::clock::now();
    let frame = running.frame_where(|frame| frame.time > back);
    assert_eq!(frame.size, Size::new(320, 180));
    running.publisher.stop();
    assert_eq!(lock(&cable.0).opened, 0);
}

#[test]
fn a_camera_that_another_program_has_is_taken_when_it_is_free_and_let_go_when_it_is_off() {
    let cable = Cable::default();
    lock(&cable.0).taken = true;
    let running = start(Some(cable.opener()));
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Stopped(Error::Busy)
    ));
    lock(&cable.0).taken = false;
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
    // Off: the light goes out; on: it is taken again.
    running.publisher.source(None);
    while lock(&cable.0).opened > 0 {
        std::thread::yield_now();
    }
    running.publisher.source(Some(cable.opener()));
    assert!(matches!(
        running.event_other_than_pictures(),
        Event::Started { .. }
    ));
    assert_eq!(lock(&cable.0).opened, 1);
}

/// A camera that is turned after some pictures, as on a tablet.
struct Turning {
    before: Synthetic,
    after: Synthetic,
    left: u32,
}

/// Pictures before it is turned.
const UPRIGHT_AFTER: u32 = 15;

impl Turning {
    fn opener() -> Opener {
        let of = |width, height| {
            let config = synthetic::Config::new(Size::new(width, height), 100)?;
            Ok::<_, &str>(config)
        };
        let (lying, standing) = (of(640, 360).unwrap(), of(360, 640).unwrap());
        Box::new(move || {
            Ok(Box::new(Self {
                before: Synthetic::new(lying)?,
                after: Synthetic::new(standing)?,
                left: UPRIGHT_AFTER,
            }))
        })
    }
}

impl Source for Turning {
    fn name(&self) -> &'static str {
        "turning"
    }

    fn next(&mut self) -> Result<Picture, Error> {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return self.before.next();
        }
        self.after.next()
    }
}

/// A publisher whose frames of one codec go straight to a receiver.
struct Loop {
    publisher: Publisher,
    receiver: Arc<receive::Receiver>,
    pictures: mpsc::Receiver<receive::Event>,
}

impl Loop {
    fn start(codec: Codec, source: Option<Opener>) -> Self {
        let limits = Limits {
            h264_fps: 100,
            jpeg_fps: 100,
            ..Limits::default()
        };
        let (to_pictures, pictures) = mpsc::channel();
        let receiver = receive::Receiver::start(codec, move |event| {
            let _ = to_pictures.send(event);
        })
        .unwrap();
        let receiver = Arc::new(receiver);
        let handed = receiver.clone();
        let publisher = Publisher::start(
            Config {
                source,
                tracks: camera_tracks(limits),
                limits,
            },
            |_| {},
            move |frame| {
                if !frame.largest {
                    return;
                }
                let Encoded {
                    sequence,
                    time,
                    references,
                    payload,
                    ..
                } = frame;
                handed.frame(receive::Frame {
                    sequence,
                    time,
                    references,
                    payload,
                });
            },
        )
        .unwrap();
        let tracks = camera_tracks(limits);
        let track = tracks.iter().find(|track| track.codec == codec).unwrap();
        publisher.wanted(&wanted(&[(track.id, 4000, 4000)]));
        Self {
            publisher,
            receiver,
            pictures,
        }
    }

    fn picture(&self) -> Picture {
        match self.pictures.recv_timeout(AGES).unwrap() {
            receive::Event::Picture(picture) => picture,
            receive::Event::NeedKeyFrame => panic!("nothing was lost"),
        }
    }

    fn end(self) {
        self.publisher.stop();
        assert!(self.receiver.newest().is_some());
        let stats = self.receiver.stats();
        assert_eq!(stats.broken, 0);
        assert!(stats.decoded >= 20 && stats.first_picture.is_some());
    }
}

#[test]
fn what_is_published_is_received() {
    for &codec in receive::DECODES {
        let running = Loop::start(codec, synthetic(640, 360));
        let mut numbers = Vec::new();
        while numbers.len() < 20 {
            let picture = running.picture();
            let mark = marker::read(&picture).unwrap();
            assert_eq!(
                mark.time,
                picture.time(),
                "the frame's time is the picture's"
            );
            numbers.push(mark.number);
        }
        assert!(
            numbers.windows(2).all(|pair| pair[0] < pair[1]),
            "{numbers:?}"
        );
        running.end();
    }
}

#[test]
fn a_camera_that_is_turned_goes_on() {
    for &codec in receive::DECODES {
        let (lying, standing) = match codec {
            Codec::Jpeg => (Size::new(480, 270), Size::new(270, 480)),
            _ => (Size::new(640, 360), Size::new(360, 640)),
        };
        let running = Loop::start(codec, Some(Turning::opener()));
        let mut seen = Vec::new();
        let mut standing_pictures = 0;
        while standing_pictures < 20 {
            let picture = running.picture();
            assert!(marker::read(&picture).is_some(), "{codec:?}: whole");
            standing_pictures += u32::from(picture.size() == standing);
            if seen.last() != Some(&picture.size()) {
                seen.push(picture.size());
            }
        }
        // The encoder may have come too late for the first few, never in between.
        assert!(
            seen == [lying, standing] || seen == [standing],
            "{codec:?}: {seen:?}"
        );
        running.end();
    }
}
