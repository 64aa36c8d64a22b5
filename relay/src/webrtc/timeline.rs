//! Between RTP's timestamps and media time: one clock for a participant's sound and picture. Pure.
//!
//! RTP counts each medium from a random number of its own. What brings the two together are sender
//! reports, which say when on the sender's wall clock a timestamp was; until the first one comes, a
//! frame counts as captured when it arrived.

use std::time::{Duration, Instant};

use visita_protocol::frame::MAX_LAYER;

/// Media time begins here, so that what was captured before the first frame arrived has a time too.
const BEGIN_US: i64 = 1_000_000;

/// What a sender report says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    /// On the sender's wall clock, since 1970.
    pub(super) wall: Duration,
    /// The timestamp of that moment.
    pub(super) rtp: u64,
}

/// One medium.
#[derive(Debug)]
struct Medium {
    rate: i64,
    /// A timestamp, and the media time of it.
    anchor: (i64, i64),
    /// The last report that was taken.
    reported: Option<u64>,
    last_us: i64,
}

impl Medium {
    fn at(&self, rtp: u64) -> i64 {
        self.anchor.1 + (rtp as i64 - self.anchor.0) * 1_000_000 / self.rate
    }
}

/// Sound, and each spatial layer of the picture, all of which count their own timestamps.
pub(super) const MEDIA: usize = 2 + MAX_LAYER as usize;

/// What comes from one participant: its sound and its picture.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    media: [Option<Medium>; MEDIA],
    /// What is added to the sender's wall clock.
    offset_us: Option<i64>,
}

impl Incoming {
    /// The media time of a frame in microseconds, always above that of the one before it in the same
    /// medium. `medium`: below [`MEDIA`]; `rate`: of its timestamps, a second; `arrived`: since any fixed
    /// moment.
    pub(super) fn frame(
        &mut self,
        medium: usize,
        rate: u32,
        rtp: u64,
        arrived: Duration,
        report: Option<Report>,
    ) -> u64 {
        let known = self.media[medium].get_or_insert_with(|| Medium {
            rate: i64::from(rate.max(1)),
            anchor: (rtp as i64, BEGIN_US + arrived.as_micros() as i64),
            reported: None,
            last_us: 0,
        });
        if let Some(report) = report
            && known.reported != Some(report.rtp)
        {
            known.reported = Some(report.rtp);
            let wall_us = report.wall.as_micros() as i64;
            let offset = *self
                .offset_us
                .get_or_insert_with(|| known.at(report.rtp) - wall_us);
            known.anchor = (report.rtp as i64, wall_us + offset);
        }
        known.last_us = known.at(rtp).max(known.last_us + 1);
        known.last_us as u64
    }
}

/// More than this away from when it should be, a sender's clock is another one: its device slept, or
/// it began anew.
const OTHER_CLOCK_US: i64 = 2_000_000;

/// What goes to one participant of one sender: when on our own clock each frame counts as captured.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    offset_us: Option<i64>,
    /// When the last picture counts as captured.
    picture_us: Option<u64>,
}

/// Pictures count as captured so much apart at least. Those of two layers are of one moment, and of two
/// with one timestamp a browser takes one: it waits for seconds then.
const APART_US: u64 = 1_000;

impl Outgoing {
    /// When a frame of this media time counts as captured, in microseconds on the clock of `now_us`.
    pub(super) fn at(&mut self, media_us: u64, now_us: u64) -> u64 {
        let (media, now) = (media_us as i64, now_us as i64);
        let fresh = now - media;
        let offset = match self.offset_us {
            Some(known) if (fresh - known).abs() <= OTHER_CLOCK_US => known,
            _ => fresh,
        };
        self.offset_us = Some(offset);
        (media + offset).max(0) as u64
    }

    /// When the next picture counts as captured, which was at this time.
    pub(super) fn after_the_last(&mut self, captured_us: u64) -> u64 {
        let least = self.picture_us.map_or(0, |last| last + APART_US);
        let is_near = least.saturating_sub(captured_us) <= OTHER_CLOCK_US as u64;
        let at = if is_near {
            captured_us.max(least)
        } else {
            captured_us
        };
        self.picture_us = Some(at);
        at
    }
}

/// A frame counts as captured this much earlier in sender reports than in RTP. One that is on our clock
/// in the future, as it is after a first one that came late, would have str0m report the timestamp 0.
/// The same for all, it moves nothing against anything else.
const REPORTED_EARLIER: Duration = Duration::from_micros(2 * OTHER_CLOCK_US as u64);

/// RTP's timestamps begin here. str0m reports a medium of which nothing was sent yet as being at 0, and
/// browsers take reports for ones of a single clock, lips and all, that are less than 2^25 ticks apart
/// (700 s of sound, 373 s of picture).
const RTP_BEGIN: Duration = Duration::from_secs(1000);

/// What is said of a frame that counts as captured then, to a participant whose lane began then: when
/// reports have it captured, and the time of which its timestamp is.
pub(super) fn said(captured: Instant, began: Instant) -> (Instant, Duration) {
    let reported = captured.checked_sub(REPORTED_EARLIER).unwrap_or(began);
    let time = (captured + RTP_BEGIN).saturating_duration_since(began);
    (reported, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: usize = 0;
    const PICTURE: usize = 1;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A sender whose sound is 40 ms longer on its way than its picture, with numbers of its own.
    fn arrive(incoming: &mut Incoming, captured_ms: u64, reports: bool) -> (i64, i64) {
        let report = |rtp| {
            reports.then_some(Report {
                wall: ms(1_700_000_000_000 + captured_ms),
                rtp,
            })
        };
        let sound = 5_000_000_000 + captured_ms * 48;
        let picture = 77 + captured_ms * 90;
        let sound = incoming.frame(SOUND, 48_000, sound, ms(captured_ms + 60), report(sound));
        let picture = incoming.frame(
            PICTURE,
            90_000,
            picture,
            ms(captured_ms + 20),
            report(picture),
        );
        (sound as i64, picture as i64)
    }

    #[test]
    fn with_reports_what_was_captured_together_has_one_time() {
        let mut incoming = Incoming::default();
        let (sound, picture) = arrive(&mut incoming, 0, false);
        assert_eq!(sound - picture, 40_000, "by arrival alone");
        let (sound, picture) = arrive(&mut incoming, 100, true);
        assert_eq!(sound, picture);
        for captured in (200..100_000).step_by(20) {
            let (sound, picture) = arrive(&mut incoming, captured, captured % 1000 == 0);
            assert!((sound - picture).abs() <= 1, "{captured}");
        }
    }

    #[test]
    fn times_rise_and_keep_their_distances() {
        let mut incoming = Incoming::default();
        let (mut sound_before, _) = arrive(&mut incoming, 0, false);
        for captured in (20..10_000).step_by(20) {
            let (sound, _) = arrive(&mut incoming, captured, false);
            assert_eq!(sound - sound_before, 20_000);
            sound_before = sound;
        }
        // A report that jumps back by hours.
        let back = Report {
            wall: Duration::ZERO,
            rtp: 5_000_480_000,
        };
        let arrived = ms(10_060);
        let first = incoming.frame(SOUND, 48_000, 5_000_480_000, arrived, Some(back));
        assert!(first as i64 > sound_before);
        let later = incoming.frame(SOUND, 48_000, 5_000_481_000, arrived, Some(back));
        assert!(later > first);
    }

    #[test]
    fn what_goes_out_keeps_its_distances_until_the_clock_is_another() {
        let mut outgoing = Outgoing::default();
        assert_eq!(outgoing.at(500, 10_000_000), 10_000_000);
        // 90 ms late: it was captured 20 ms after the first all the same.
        assert_eq!(outgoing.at(20_500, 10_110_000), 10_020_000);
        let hours = 3_600_000_000;
        assert_eq!(outgoing.at(hours, 10_200_000), 10_200_000);
        assert_eq!(outgoing.at(hours + 20_000, 10_225_000), 10_220_000);
    }

    #[test]
    fn no_two_pictures_are_of_one_moment() {
        let mut outgoing = Outgoing::default();
        assert_eq!(outgoing.after_the_last(5_000_000), 5_000_000);
        assert_eq!(
            outgoing.after_the_last(5_000_000),
            5_001_000,
            "another layer"
        );
        assert_eq!(outgoing.after_the_last(5_033_000), 5_033_000);
        // A layer whose clock is a little behind until its first report.
        assert_eq!(outgoing.after_the_last(5_020_000), 5_034_000);
        assert_eq!(
            outgoing.after_the_last(1_000_000),
            1_000_000,
            "another clock"
        );
    }

    #[test]
    fn no_frame_is_reported_as_of_the_future_nor_near_the_timestamp_0() {
        let began = Instant::now() + ms(60_000);
        let now_us = 5_000_000;
        let mut outgoing = Outgoing::default();
        // The first came late, and the next doesn't: captured after now, on our clock.
        outgoing.at(1_000_000, now_us);
        let captured_us = outgoing.at(2_500_000, now_us + 1_000);
        assert!(captured_us > now_us + 1_000);
        let us = Duration::from_micros;
        let (reported, time) = said(began + us(captured_us), began);
        assert!(reported <= began + us(now_us));
        // As far apart as they were captured.
        let (first, first_time) = said(began + us(now_us), began);
        assert_eq!(first + time.saturating_sub(first_time), reported);
        let few = |rate: u64| first_time.as_secs() * rate <= 1 << 25;
        assert!(!few(48_000) && !few(90_000));
    }
}
