//! The encode thread, and how a track becomes frames.

use std::time::{Duration, Instant};

use visita_protocol::{
    frame::References,
    id::TrackId,
    media::{Codec, Layer, Size, Track},
    time::MediaTime,
};

use super::{
    EncodeError, Encoded, Event, Limits, Orders, STALL, Sent, Shared,
    layers::{self, Numbers},
    lock,
    video::Encoder,
};
use crate::{
    convert, jpeg,
    picture::Picture,
    slot::Taken,
    stats::Percentiles,
    video::{Config, Frame, bitrate},
};

/// Encodes until the publisher stops.
pub(super) fn run(
    shared: &Shared,
    mut encodings: Vec<Encoding>,
    mut on_encoded: impl FnMut(Encoded),
) {
    loop {
        let picture = match shared.captured.take(STALL) {
            Taken::Value(picture) => picture,
            Taken::TimedOut => {
                shared.stalled();
                continue;
            }
            Taken::Closed => return,
        };
        // One look for all tracks, so that a change applies to whole pictures.
        let orders = {
            let mut orders = lock(&shared.orders);
            let keys = std::mem::take(&mut orders.keys);
            Orders {
                wanted: orders.wanted.clone(),
                keys,
                bitrates: orders.bitrates.clone(),
            }
        };
        for encoding in &mut encodings {
            let order = Order {
                wanted: orders.wanted.get(&encoding.track).copied(),
                key: orders.keys.contains(&encoding.track),
                bitrate: orders.bitrates.get(&encoding.track).copied(),
            };
            match encoding.encode(&picture, order) {
                Ok(Some((layers, took))) => {
                    encoding.failed = None;
                    for encoded in layers {
                        count(shared, &encoded, took);
                        on_encoded(encoded);
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    encoding.layers.clear();
                    if encoding.failed.as_ref() != Some(&error) {
                        encoding.failed = Some(error.clone());
                        shared.event(Event::EncoderFailed {
                            track: encoding.track,
                            error,
                        });
                    }
                }
            }
            if encoding.skipped > 0
                && let Some(sent) = lock(&shared.sent).get_mut(&encoding.track)
            {
                sent.skipped += std::mem::take(&mut encoding.skipped);
            }
        }
    }
}

fn count(shared: &Shared, encoded: &Encoded, took: Duration) {
    let mut sent = lock(&shared.sent);
    let row = sent.entry(encoded.track).or_insert_with(|| Sent {
        track: encoded.track,
        codec: encoded.codec,
        size: encoded.size,
        frames: 0,
        bytes: 0,
        skipped: 0,
        encode_us: Percentiles::new(),
    });
    row.bytes += encoded.payload.len() as u64;
    if encoded.largest {
        row.size = encoded.size;
        row.frames += 1;
        row.encode_us.add(took.as_micros() as u64);
    }
}

/// What a track is to do now.
pub(super) struct Order {
    pub(super) wanted: Option<Size>,
    pub(super) key: bool,
    pub(super) bitrate: Option<u32>,
}

/// A track's encoder, made when the track is wanted and as large as it is wanted.
pub(super) struct Encoding {
    track: TrackId,
    codec: Codec,
    most: Size,
    pace: Pace,
    /// By spatial layer, largest first.
    layers: Vec<Layered>,
    sequence: u32,
    skipped: u64,
    failed: Option<EncodeError>,
}

/// A spatial layer.
#[derive(Default)]
struct Layered {
    state: Option<State>,
    numbers: Numbers,
    key_due: bool,
}

enum State {
    Video(Encoder),
    Jpeg(jpeg::Encoder),
}

impl Encoding {
    /// `None` for a codec that isn't encoded here.
    pub(super) fn new(track: &Track, limits: Limits) -> Option<Self> {
        let (most, fps) = match track.codec {
            Codec::H264 | Codec::Vp8 => (limits.h264, limits.h264_fps),
            Codec::Jpeg => (limits.jpeg, limits.jpeg_fps),
            _ => return None,
        };
        Some(Self {
            track: track.id,
            codec: track.codec,
            most,
            pace: Pace::new(fps),
            layers: Vec::new(),
            sequence: 0,
            skipped: 0,
            failed: None,
        })
    }

    /// The frames of this picture, the largest layer's first, and how long they took; `None` if the
    /// track isn't wanted, the picture comes too soon, or rate control leaves it out.
    pub(super) fn encode(
        &mut self,
        picture: &Picture,
        order: Order,
    ) -> Result<Option<(Vec<Encoded>, Duration)>, EncodeError> {
        let Some(wanted) = order.wanted else {
            self.layers.clear();
            return Ok(None);
        };
        if order.key {
            for layer in &mut self.layers {
                layer.key_due = true;
            }
        }
        if !self.pace.due(picture.time()) {
            return Ok(None);
        }
        let begin = Instant::now();
        let size = step(picture.size(), self.most, wanted);
        let beside = if self.codec == Codec::Jpeg {
            None
        } else {
            let full = convert::fit(picture.size(), convert::turned(self.most, picture.size()));
            layers::beside(full, wanted)
        };
        let sizes: Vec<Size> = [size].into_iter().chain(beside).collect();
        self.layers.resize_with(sizes.len(), Layered::default);
        let mut frames = Vec::with_capacity(sizes.len());
        for (at, &size) in sizes.iter().enumerate() {
            let bits = order.bitrate.map(|all| {
                let other = sizes.iter().copied().find(|other| *other != size);
                layers::share(all, size, other)
            });
            let scaled = convert::scaled(picture, size)?;
            let Some(mut encoded) = self.layer(at, &scaled, bits)? else {
                if at == 0 {
                    self.skipped += 1;
                }
                continue;
            };
            encoded.layer.spatial = (sizes.len() - 1 - at) as u8;
            encoded.largest = at == 0;
            frames.push(encoded);
        }
        Ok((!frames.is_empty()).then(|| (frames, begin.elapsed())))
    }

    /// The picture in one layer, the largest of which is number 0.
    fn layer(
        &mut self,
        at: usize,
        picture: &Picture,
        bits: Option<u32>,
    ) -> Result<Option<Encoded>, EncodeError> {
        let fps = self.pace.measured;
        let Some(layer) = self.layers.get_mut(at) else {
            return Ok(None);
        };
        let (payload, temporal, references) = if self.codec == Codec::Jpeg {
            (layer.jpeg()?.encode(picture)?, 0, References::NONE)
        } else {
            let Some(frame) = layer.video(self.codec, picture, fps, bits)? else {
                return Ok(None);
            };
            (frame.bytes, frame.layer.temporal, frame.references)
        };
        let Some(references) = layer.numbers.references(self.sequence, references) else {
            // It can't be said, so nobody could decode what follows.
            layer.key_due = true;
            return Ok(None);
        };
        if references.is_key() {
            layer.key_due = false;
        }
        layer.numbers.push(self.sequence);
        let sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        Ok(Some(Encoded {
            track: self.track,
            codec: self.codec,
            sequence,
            time: picture.time(),
            layer: Layer {
                spatial: 0,
                temporal,
            },
            largest: true,
            references,
            size: picture.size(),
            payload,
        }))
    }
}

impl Layered {
    fn video(
        &mut self,
        codec: Codec,
        picture: &Picture,
        fps: f32,
        bits: Option<u32>,
    ) -> Result<Option<Frame>, EncodeError> {
        let size = picture.size();
        let bits = bits.unwrap_or_else(|| bitrate(size));
        let encoder = match &mut self.state {
            Some(State::Video(encoder)) if encoder.config().size == size => encoder,
            state => {
                let config = Config {
                    bitrate: bits,
                    fps,
                    ..Config::new(size)
                };
                let made = State::Video(Encoder::new(codec, config)?);
                let State::Video(encoder) = state.insert(made) else {
                    return Ok(None);
                };
                encoder
            }
        };
        if encoder.config().bitrate != bits {
            encoder.set_bitrate(bits)?;
        }
        let expected = encoder.config().fps;
        if (expected - fps).abs() > expected * RATE_TOLERANCE {
            encoder.set_fps(fps)?;
        }
        if self.key_due {
            encoder.force_key()?;
        }
        encoder.encode(picture)
    }

    fn jpeg(&mut self) -> Result<&mut jpeg::Encoder, EncodeError> {
        if !matches!(self.state, Some(State::Jpeg(_))) {
            self.state = Some(State::Jpeg(jpeg::Encoder::new(jpeg::QUALITY)?));
        }
        match &mut self.state {
            Some(State::Jpeg(encoder)) => Ok(encoder),
            _ => Err(EncodeError::Jpeg("no encoder".into())),
        }
    }
}

/// Sizes go in steps of the source's, so that a tile which grows by a few pixels doesn't cost a
/// new encoder and a key frame: whole, ¾, ½, ⅜, ¼ of what may be sent at most, the smallest that
/// is not below what is wanted.
fn step(source: Size, most: Size, wanted: Size) -> Size {
    let largest = convert::fit(source, convert::turned(most, source));
    let needed = convert::fit(source, wanted);
    let part = |eighths: u32| {
        let side = |side: u16| (((u32::from(side) * eighths + 4) / 8) & !1).max(2) as u16;
        Size::new(side(largest.width), side(largest.height))
    };
    let enough = |size: &Size| size.width >= needed.width && size.height >= needed.height;
    [2, 3, 4, 6]
        .into_iter()
        .map(part)
        .find(enough)
        .unwrap_or(largest)
}

/// How far the rate may be from what the encoder expects, before it is told: less makes no
/// difference that could be seen.
const RATE_TOLERANCE: f32 = 0.2;

/// Lets pictures through at a rate, evenly, and measures how many came through.
struct Pace {
    fps: u16,
    due: Option<u64>,
    /// Pictures a second that came through, over the last [`MEASURED`] of them.
    measured: f32,
    counted: u32,
    since: Option<MediaTime>,
    last: Option<MediaTime>,
}

/// Over how many pictures the rate is measured: a second's, usually.
const MEASURED: u32 = 30;
/// After so long without a picture, in microseconds, the source was away: no rate to measure.
const PAUSE_US: u64 = 1_000_000;

impl Pace {
    fn new(fps: u16) -> Self {
        let fps = fps.max(1);
        Self {
            fps,
            due: None,
            measured: f32::from(fps),
            counted: 0,
            since: None,
            last: None,
        }
    }

    fn due(&mut self, time: MediaTime) -> bool {
        let through = self.comes_through(time);
        if through {
            self.measure(time);
        }
        through
    }

    fn comes_through(&mut self, time: MediaTime) -> bool {
        let interval = 1_000_000 / u64::from(self.fps);
        let Some(due) = self.due else {
            self.due = Some(time.0 + interval);
            return true;
        };
        // A picture a little early is on time: cameras and schedulers jitter.
        let back = time.0 + 10 * interval < due;
        if time.0 + interval / 4 < due && !back {
            return false;
        }
        let late = back || time.0 > due + interval;
        self.due = Some(if late { time.0 } else { due } + interval);
        true
    }

    fn measure(&mut self, time: MediaTime) {
        let paused = self
            .last
            .is_none_or(|last| time.0.saturating_sub(last.0) > PAUSE_US);
        self.last = Some(time);
        if paused {
            (self.counted, self.since) = (0, None);
        }
        let since = *self.since.get_or_insert(time);
        if self.counted < MEASURED {
            self.counted += 1;
            return;
        }
        if let Some(took) = time.0.checked_sub(since.0).filter(|&took| took > 0) {
            let rate = self.counted as f32 * 1e6 / took as f32;
            self.measured = rate.clamp(1.0, f32::from(self.fps));
        }
        (self.counted, self.since) = (1, Some(time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_kept_and_even() {
        let let_through = |fps: u16, source_fps: u64| {
            let mut pace = Pace::new(fps);
            // Jitter of ±3 ms.
            (0..source_fps * 10)
                .filter(|number| {
                    let jitter = number * 7919 % 6000;
                    pace.due(MediaTime(
                        1_000_000 + number * 1_000_000 / source_fps + jitter,
                    ))
                })
                .count()
        };
        assert_eq!(let_through(30, 30), 300);
        assert!((295..=305).contains(&let_through(30, 60)));
        assert!((118..=122).contains(&let_through(12, 30)));
        assert_eq!(let_through(30, 10), 100);
    }

    #[test]
    fn the_rate_is_measured() {
        let measured = |fps: u16, source_fps: u64| {
            let mut pace = Pace::new(fps);
            for number in 0..200 {
                pace.due(MediaTime(number * 1_000_000 / source_fps));
            }
            pace.measured.round() as u32
        };
        assert_eq!(measured(30, 30), 30);
        assert_eq!(measured(30, 10), 10);
        assert_eq!(measured(30, 60), 30);
        assert_eq!(
            Pace::new(30).measured.round() as u32,
            30,
            "until it is known"
        );
    }

    #[test]
    fn a_clock_that_jumps_back_stops_nothing() {
        let mut pace = Pace::new(30);
        assert!(pace.due(MediaTime(100_000_000)));
        assert!(pace.due(MediaTime(5)));
        assert!(pace.due(MediaTime(40_000)));
    }

    #[test]
    fn sizes_go_in_steps() {
        let step = |wanted: (u16, u16)| {
            let size = step(
                Size::new(1280, 720),
                Size::new(640, 360),
                Size::new(wanted.0, wanted.1),
            );
            (size.width, size.height)
        };
        assert_eq!(step((4000, 4000)), (640, 360));
        assert_eq!(step((640, 360)), (640, 360));
        assert_eq!(step((500, 400)), (640, 360));
        assert_eq!(step((480, 270)), (480, 270));
        assert_eq!(step((321, 400)), (320, 180));
        assert_eq!(step((324, 400)), (480, 270));
        assert_eq!(step((200, 200)), (240, 134));
        assert_eq!(step((1, 1)), (160, 90));
    }

    #[test]
    fn a_picture_that_stands_may_be_as_large_as_one_that_lies() {
        let most = Size::new(640, 360);
        let standing = step(Size::new(720, 1280), most, Size::new(4000, 4000));
        assert_eq!(standing, Size::new(360, 640));
    }
}
