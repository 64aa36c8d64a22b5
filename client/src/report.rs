//! What a participant measured of a call: the line that `visita-client` prints.

use serde::{Deserialize, Serialize};
use visita_media::stats::Percentiles;
use visita_protocol::{
    id::MemberId,
    media::{Codec, Kind},
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
}

/// What came of one track of one sender over the whole call.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Who sent it.
    pub from: MemberId,
    /// What the sender is called.
    pub name: String,
    /// Sound or picture.
    pub kind: Kind,
    /// How it is coded.
    pub codec: Codec,
    /// The last picture's columns.
    pub width: Option<u16>,
    /// The last picture's rows.
    pub height: Option<u16>,
    /// Whole frames that came.
    pub frames_received: u64,
    /// Those that were decoded.
    pub frames_decoded: u64,
    /// Those that weren't.
    pub frames_dropped: u64,
    /// How long the picture stood still in all (W3C's totalFreezesDuration), in milliseconds.
    pub frozen_ms: u64,
    /// From capture to decoded, in milliseconds; `None` unless the sender reads this machine's
    /// clock.
    pub delay_ms: Option<Delay>,
    /// Payload bytes.
    pub bytes: u64,
}

/// Opaque: the name of a person stays out of logs.
impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Received({} {:?}: {} received, {} decoded, {} dropped, {} ms frozen, delay {:?})",
            self.from,
            self.codec,
            self.frames_received,
            self.frames_decoded,
            self.frames_dropped,
            self.frozen_ms,
            self.delay_ms
        )
    }
}

/// What was sent of one encoding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Sound or picture.
    pub kind: Kind,
    /// How it is coded.
    pub codec: Codec,
    /// The last frame's columns.
    pub width: u16,
    /// The last frame's rows.
    pub height: u16,
    /// Frames handed to the connection.
    pub frames: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Microseconds to encode a picture, scaling included.
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

/// Percentiles of the time to encode, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encode {
    /// Half of all are not above this.
    pub p50: u64,
    /// 95 % of all are not above this.
    pub p95: u64,
}

impl Delay {
    /// From microseconds; `None` of nothing.
    pub fn of(micros: &Percentiles) -> Option<Self> {
        let at = |share| {
            micros
                .at(share)
                .map(|us| (us as f64 / 10.0).round() / 100.0)
        };
        Some(Self {
            p50: at(0.5)?,
            p95: at(0.95)?,
            p99: at(0.99)?,
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
    use super::*;

    #[test]
    fn the_line_is_what_the_contract_says() {
        let mut delays = Percentiles::new();
        delays.add(4321);
        let report = Report {
            first_picture_ms: None,
            received: vec![Received {
                from: MemberId(3),
                name: "Ana".into(),
                kind: Kind::Video,
                codec: Codec::H264,
                width: Some(640),
                height: Some(360),
                frames_received: 10,
                frames_decoded: 9,
                frames_dropped: 1,
                frozen_ms: 0,
                delay_ms: Delay::of(&delays),
                bytes: 1000,
            }],
            sent: vec![Sent {
                kind: Kind::Video,
                codec: Codec::Jpeg,
                width: 480,
                height: 270,
                frames: 5,
                bytes: 99,
                encode_us: Encode::of(&Percentiles::new()),
            }],
        };
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["first_picture_ms"], serde_json::Value::Null);
        assert_eq!(json["received"][0]["kind"], "video");
        assert_eq!(json["received"][0]["codec"], "h264");
        assert_eq!(json["sent"][0]["codec"], "jpeg");
        let p50 = json["received"][0]["delay_ms"]["p50"].as_f64().unwrap();
        assert!((p50 - 4.3).abs() < 0.1, "{p50}");
        assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
        assert!(!format!("{report:?}").contains("Ana"));
    }
}
