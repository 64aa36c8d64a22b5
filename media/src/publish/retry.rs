//! When a source that failed is tried again, and what is said of it. Pure: it is told what
//! happens, and tells what to do.

use std::time::Duration;

use crate::source::Error;

/// How often a camera that is missing or was lost is looked for: soon enough for somebody who has
/// just put the plug back in.
const LOOK: Duration = Duration::from_secs(2);
/// The first wait for a camera that another program has.
const BUSY_FIRST: Duration = Duration::from_secs(1);
/// The longest: who closed the other program looks for the picture now. Each try may make that
/// program's picture stutter, so it isn't tried all the time.
const BUSY_MOST: Duration = Duration::from_secs(8);

/// The failures since pictures came last.
#[derive(Debug, Default)]
pub(super) struct Retry {
    said: Option<Error>,
    busy: u32,
}

/// What to do about a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether it is news.
    pub(super) say: bool,
    /// When to try again; `None`: when somebody chooses another source.
    pub(super) after: Option<Duration>,
}

impl Retry {
    /// Another source was chosen.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Pictures come.
    pub(super) fn came(&mut self) {
        self.reset();
    }

    /// It couldn't be opened, or stopped.
    pub(super) fn failed(&mut self, error: &Error) -> Verdict {
        self.busy = match error {
            Error::Busy => self.busy + 1,
            _ => 0,
        };
        let after = match error {
            Error::Busy => {
                let doubled = 2_u32.saturating_pow(self.busy - 1);
                Some(BUSY_FIRST.saturating_mul(doubled).min(BUSY_MOST))
            }
            error => error.may_pass().then_some(LOOK),
        };
        // A camera that was pulled out is missing when it is looked for: the same, said worse.
        let same = match (&self.said, error) {
            (Some(Error::Lost(_)), Error::Missing | Error::Lost(_)) => true,
            (said, error) => said.as_ref() == Some(error),
        };
        if !same {
            self.said = Some(error.clone());
        }
        Verdict { say: !same, after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera over time, in milliseconds: what opening it answers at each moment.
    type World = fn(u64) -> Result<(), Error>;

    /// Tries as the capture thread does, from a loss on; answers what was said and when pictures
    /// came again.
    fn simulate(first: &Error, world: World) -> (Vec<(u64, Error)>, u64, u32) {
        let (mut retry, mut said, mut tries) = (Retry::default(), Vec::new(), 0);
        let (mut now, mut error) = (0, first.clone());
        loop {
            let verdict = retry.failed(&error);
            if verdict.say {
                said.push((now, error.clone()));
            }
            now += verdict
                .after
                .map_or(u64::MAX, |wait| wait.as_millis() as u64);
            tries += 1;
            match world(now) {
                Ok(()) => return (said, now, tries),
                Err(next) => error = next,
            }
        }
    }

    #[test]
    fn a_camera_that_is_plugged_in_again_comes_back_by_itself() {
        let lost = Error::Lost("unplugged".into());
        let (said, back, _) = simulate(&lost, |now| {
            if now < 60_500 {
                Err(Error::Missing)
            } else {
                Ok(())
            }
        });
        assert_eq!(said, [(0, lost)], "said once, however long it takes");
        assert!((60_500..=62_500).contains(&back), "{back}");
    }

    #[test]
    fn a_busy_camera_is_tried_ever_more_rarely_and_comes_by_itself() {
        let (said, back, tries) = simulate(&Error::Busy, |now| {
            if now < 300_000 {
                Err(Error::Busy)
            } else {
                Ok(())
            }
        });
        assert_eq!(said, [(0, Error::Busy)]);
        assert!((300_000..=308_000).contains(&back), "{back}");
        assert!(tries < 45, "{tries} tries in five minutes");
        // At the start it is quick: most programs take a moment to let go.
        let mut retry = Retry::default();
        let waits: Vec<_> = (0..6)
            .map(|_| retry.failed(&Error::Busy).after.map(|wait| wait.as_secs()))
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 8, 8].map(Some));
    }

    #[test]
    fn each_new_reason_is_said() {
        let lost = Error::Lost("unplugged".into());
        let (said, back, _) = simulate(&lost, |now| match now {
            ..5_000 => Err(Error::Missing),
            5_000..12_000 => Err(Error::Busy),
            _ => Ok(()),
        });
        assert_eq!(said, [(0, lost), (6_000, Error::Busy)]);
        assert!((12_000..20_000).contains(&back));
    }

    #[test]
    fn what_does_not_pass_waits_for_a_person() {
        for error in [
            Error::Denied,
            Error::Unsupported("x".into()),
            Error::File("x".into()),
        ] {
            let mut retry = Retry::default();
            let first = retry.failed(&error);
            assert_eq!(
                first,
                Verdict {
                    say: true,
                    after: None
                }
            );
            assert!(!retry.failed(&error).say, "not twice");
            retry.reset();
            assert!(retry.failed(&error).say, "another choice is another story");
        }
    }
}
