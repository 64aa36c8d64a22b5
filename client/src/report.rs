//! What a participant measured of a call: the line that `visita-client` prints.

use serde::{Deserialize, Serialize};
use visita_media::stats::Percentiles;
use visita_protocol::{
    id::MemberId,
    media::{Codec, Kind},
    way::Way,
};

/// A whole call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Milliseconds from the call's start (the first attempt to connect) to the first decoded
    /// picture; `None` if there was none.
    pub first_picture_ms: Option<f64>,
    /// A row for each sender and track.
    pub received: Vec<Received>,
    /// A row for each encoding.
    pub sent: Vec<Sent>,
    /// Over what media goes.
    #[serde(flatten, default)]
    pub ways: Ways,
}

/// Over what media goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// At the end of the report, or of the call.
    pub carrier: Way,
    /// How often that changed so far.
    pub carrier_changes: u32,
}

impl Ways {
    /// From now on over this.
    pub fn changed(&mut self, way: Way) {
        self.carrier = way;
        self.carrier_changes += 1;
    }
}

/// What came of one track of one sender over the whole call.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Who sent it.
    pub from: MemberId,
    /// What the sender is called.
    pub name: String,
    /// Sound or picture, and what only one of them has.
    #[serde(flatten)]
    pub media: Media,
    /// How it is coded.
    pub codec: Codec,
    /// Whole frames that came.
    pub frames_received: u64,
    /// Those that were decoded.
    pub frames_decoded: u64,
    /// Those that weren't.
    pub frames_dropped: u64,
    /// From capture to decoded, of sound to heard, in milliseconds; `None` unless the sender reads
    /// this machine's clock.
    pub delay_ms: Option<Delay>,
    /// Payload bytes.
    pub bytes: u64,
}

/// What a received track is: `kind` in the report, and the fields that only this kind has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Media {
    /// Picture.
    Video(Picture),
    /// Sound.
    Audio(Sound),
}

/// What only picture has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The last picture's columns.
    pub width: Option<u16>,
    /// The last picture's rows.
    pub height: Option<u16>,
    /// How long the picture stood still in all (W3C's totalFreezesDuration), in milliseconds.
    pub frozen_ms: u64,
}

/// What only sound has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// How much of what was played was made up because nothing had come, in milliseconds.
    pub concealed_ms: u64,
    /// How much was left out or drawn out to keep the delay, in milliseconds.
    pub stretched_ms: u64,
    /// How unevenly it came last, in milliseconds.
    pub jitter_ms: f64,
    /// From capture to heard, of what is heard right now, in milliseconds; `None` while nothing is,
    /// and unless the sender reads this machine's clock.
    pub delay_now_ms: Option<f64>,
    /// Its level while there was any, in decibels of full scale; `None` if it was never heard.
    pub level_dbfs: Option<f64>,
    /// How far the sender's pictures were from its sound when they were put, in milliseconds,
    /// whichever came first; `None` unless both were there.
    pub av_offset_ms: Option<Offset>,
}

/// Opaque: the name of a person stays out of logs.
impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Received({} {:?}: {} received, {} decoded, {} dropped, delay {:?}, {:?})",
            self.from,
            self.codec,
            self.frames_received,
            self.frames_decoded,
            self.frames_dropped,
            self.delay_ms,
            self.media
        )
    }
}

impl Received {
    /// Sound or picture.
    pub fn kind(&self) -> Kind {
        match self.media {
            Media::Video(_) => Kind::Video,
            Media::Audio(_) => Kind::Audio,
        }
    }

    /// What only picture has, if it is one.
    pub fn picture(&self) -> Option<&Picture> {
        match &self.media {
            Media::Video(picture) => Some(picture),
            Media::Audio(_) => None,
        }
    }

    /// What only sound has, if it is sound.
    pub fn sound(&self) -> Option<&Sound> {
        match &self.media {
            Media::Audio(sound) => Some(sound),
            Media::Video(_) => None,
        }
    }
}

/// What was sent of one encoding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Sound or picture.
    pub kind: Kind,
    /// How it is coded.
    pub codec: Codec,
    /// The last frame's size; left out of sound.
    #[serde(flatten)]
    pub size: Option<visita_protocol::media::Size>,
    /// Frames handed to the connection.
    pub frames: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Microseconds to encode a frame: of picture with its scaling.
    pub encode_us: Encode,
}

/// Percentiles of a delay, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    /// Half of all are not above this.
    pub p50: f64,
    /// 95 % of all are not above this.
    pub p95: f64,
    /// 99 % of all are not above this.
    pub p99: f64,
}

/// Percentiles of the time between a picture and its sound, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offset {
    /// Half of all are not above this.
    pub p50: f64,
    /// 95 % of all are not above this.
    pub p95: f64,
}

/// Percentiles of the time to encode, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encode {
    /// Half of all are not above this.
    pub p50: u64,
    /// 95 % of all are not above this.
    pub p95: u64,
}

/// A share's percentile of microseconds, in milliseconds to a hundredth.
fn ms(micros: &Percentiles, share: f64) -> Option<f64> {
    let us = micros.at(share)?;
    Some((us as f64 / 10.0).round() / 100.0)
}

impl Delay {
    /// From microseconds; `None` of nothing.
    pub fn of(micros: &Percentiles) -> Option<Self> {
        Some(Self {
            p50: ms(micros, 0.5)?,
            p95: ms(micros, 0.95)?,
            p99: ms(micros, 0.99)?,
        })
    }
}

impl Offset {
    /// From microseconds; `None` of nothing.
    pub fn of(micros: &Percentiles) -> Option<Self> {
        Some(Self {
            p50: ms(micros, 0.5)?,
            p95: ms(micros, 0.95)?,
        })
    }
}

impl Encode {
    /// From microseconds; zeros of nothing.
    pub fn of(micros: &Percentiles) -> Self {
        let at = |share| micros.at(share).unwrap_or_default();
        Self {
            p50: at(0.5),
            p95: at(0.95),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use visita_protocol::media::Size;

    use super::*;

    fn row(media: Media, codec: Codec, delays: &Percentiles) -> Received {
        Received {
            from: MemberId(3),
            name: "Ana".into(),
            media,
            codec,
            frames_received: 10,
            frames_decoded: 9,
            frames_dropped: 1,
            delay_ms: Delay::of(delays),
            bytes: 1000,
        }
    }

    fn sent(kind: Kind, codec: Codec, size: Option<Size>) -> Sent {
        Sent {
            kind,
            codec,
            size,
            frames: 5,
            bytes: 99,
            encode_us: Encode::of(&Percentiles::new()),
        }
    }

    #[test]
    fn the_line_is_what_the_contract_says() {
        let mut delays = Percentiles::new();
        delays.add(4321);
        let picture = Picture {
            width: Some(640),
            height: Some(360),
            frozen_ms: 0,
        };
        let sound = Sound {
            concealed_ms: 20,
            stretched_ms: 10,
            jitter_ms: 1.5,
            delay_now_ms: Some(61.5),
            level_dbfs: Some(-20.0),
            av_offset_ms: Offset::of(&delays),
        };
        let report = Report {
            first_picture_ms: None,
            received: vec![
                row(Media::Video(picture), Codec::H264, &delays),
                row(Media::Audio(sound), Codec::Opus, &delays),
                row(
                    Media::Video(Picture::default()),
                    Codec::Jpeg,
                    &Percentiles::new(),
                ),
            ],
            sent: vec![
                sent(Kind::Video, Codec::Jpeg, Some(Size::new(480, 270))),
                sent(Kind::Audio, Codec::Opus, None),
            ],
            ways: Ways {
                carrier: Way::Webrtc,
                carrier_changes: 1,
            },
        };
        let written = serde_json::to_value(&report).unwrap();
        assert_eq!(written["first_picture_ms"], Value::Null);
        assert_eq!(
            (&written["carrier"], &written["carrier_changes"]),
            (&json!("webrtc"), &json!(1))
        );
        let delay = written["received"][0]["delay_ms"].clone();
        let p50 = delay["p50"].as_f64().unwrap();
        assert!((p50 - 4.3).abs() < 0.1, "{p50}");
        let expected = json!([
            {
                "from": 3, "name": "Ana", "kind": "video", "codec": "h264", "width": 640,
                "height": 360, "frames_received": 10, "frames_decoded": 9, "frames_dropped": 1,
                "frozen_ms": 0, "delay_ms": delay, "bytes": 1000,
            },
            {
                "from": 3, "name": "Ana", "kind": "audio", "codec": "opus", "frames_received": 10,
                "frames_decoded": 9, "frames_dropped": 1, "concealed_ms": 20, "stretched_ms": 10,
                "jitter_ms": 1.5, "delay_now_ms": 61.5, "level_dbfs": -20.0, "delay_ms": delay, "bytes": 1000,
                "av_offset_ms": {"p50": p50, "p95": p50},
            },
            {
                "from": 3, "name": "Ana", "kind": "video", "codec": "jpeg", "width": null,
                "height": null, "frames_received": 10, "frames_decoded": 9, "frames_dropped": 1,
                "frozen_ms": 0, "delay_ms": null, "bytes": 1000,
            },
        ]);
        assert_eq!(written["received"], expected);
        let encode = json!({"p50": 0, "p95": 0});
        let expected = json!([
            {
                "kind": "video", "codec": "jpeg", "width": 480, "height": 270, "frames": 5,
                "bytes": 99, "encode_us": encode,
            },
            {"kind": "audio", "codec": "opus", "frames": 5, "bytes": 99, "encode_us": encode},
        ]);
        assert_eq!(written["sent"], expected);
        assert_eq!(serde_json::from_value::<Report>(written).unwrap(), report);
        assert!(!format!("{report:?}").contains("Ana"));
    }
}
