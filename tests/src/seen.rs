//! What a participant saw and heard, out of its reports and stamps.

use std::time::Duration;

use serde_json::Value;
use visita_client::report::{Received, Report};
use visita_media::clock;
use visita_protocol::media::Kind;

use crate::program::Running;

/// The track that sound is on; all others are pictures.
pub const SOUND: u64 = 8;

/// A report's row of somebody's sound, or picture.
pub fn row(report: &Report, kind: Kind) -> Option<&Received> {
    report.received.iter().find(|row| row.kind() == kind)
}

/// The next report.
pub fn report(of: &Running) -> Report {
    serde_json::from_str(&of.line().expect("reports come")).unwrap()
}

/// The last report that came, or the next one: who isn't read for a while has many waiting.
pub fn latest(of: &Running) -> Report {
    let waiting = std::iter::from_fn(|| of.line_within(Duration::ZERO)).last();
    waiting.map_or_else(|| report(of), |line| serde_json::from_str(&line).unwrap())
}

/// What somebody saw of one other in a span of time.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Its beginning, on the clock of stamps.
    pub from_us: u64,
    /// Its end.
    pub until_us: u64,
    /// Pictures decoded.
    pub pictures: u64,
    /// Bytes of pictures.
    pub bytes: u64,
    /// How long the picture stood still.
    pub frozen_ms: u64,
    /// Sound that was made up.
    pub concealed_ms: u64,
}

/// Counts of a report, with the time at which it was read: a span's beginning, or its end.
pub fn counts(report: &Report) -> Span {
    let rows = || report.received.iter();
    let pictures = || rows().filter_map(|row| Some((row, row.picture()?)));
    let sounds = rows().filter_map(Received::sound);
    Span {
        from_us: clock::now().0,
        until_us: 0,
        pictures: pictures().map(|(row, _)| row.frames_decoded).sum(),
        bytes: pictures().map(|(row, _)| row.bytes).sum(),
        frozen_ms: pictures().map(|(_, picture)| picture.frozen_ms).sum(),
        concealed_ms: sounds.map(|sound| sound.concealed_ms).sum(),
    }
}

impl Span {
    /// From one report's counts to another's.
    pub fn to(self, end: Self) -> Self {
        Self {
            from_us: self.from_us,
            until_us: end.from_us,
            pictures: end.pictures - self.pictures,
            bytes: end.bytes - self.bytes,
            frozen_ms: end.frozen_ms - self.frozen_ms,
            concealed_ms: end.concealed_ms - self.concealed_ms,
        }
    }

    /// How long it was.
    pub fn seconds(self) -> f64 {
        (self.until_us - self.from_us) as f64 / 1e6
    }

    /// Pictures a second.
    pub fn rate(self) -> f64 {
        self.pictures as f64 / self.seconds()
    }

    /// Kilobits of pictures a second.
    pub fn kbit_s(self) -> f64 {
        self.bytes as f64 * 8.0 / 1000.0 / self.seconds()
    }

    /// How much of the time the picture stood still, in percent.
    pub fn frozen(self) -> f64 {
        self.frozen_ms as f64 / self.seconds() / 10.0
    }

    /// How much of the time sound was made up, in percent.
    pub fn concealed(self) -> f64 {
        self.concealed_ms as f64 / self.seconds() / 10.0
    }
}

/// How late pictures were, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Late {
    /// Half of them not later than this.
    pub p50: f64,
    /// 95 % not later than this.
    pub p95: f64,
}

/// How late pictures were, by one sort of stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When they had come.
    Arrived,
    /// When they were shown, which waits for the sound.
    Shown,
}

/// How late pictures were from their capture within this span; `None` if there were none.
pub fn late(stamps: &[Value], span: Span, when: When) -> Option<Late> {
    let name = match when {
        When::Arrived => "arrived",
        When::Shown => "shown",
    };
    let mut late: Vec<u64> = stamps
        .iter()
        .filter(|stamp| stamp["stamp"] == name && stamp["track"] != SOUND)
        .filter_map(|stamp| Some((stamp["at"].as_u64()?, stamp["captured"].as_u64()?)))
        .filter(|(at, _)| (span.from_us..span.until_us).contains(at))
        .map(|(at, captured)| at.saturating_sub(captured))
        .collect();
    late.sort_unstable();
    let most = late.len().checked_sub(1)?;
    let at = |share: f64| late[(share * most as f64) as usize] as f64 / 1000.0;
    Some(Late {
        p50: at(0.5),
        p95: at(0.95),
    })
}
