//! When a device that failed is tried again, and what is said of it: as for cameras
//! (`crate::publish`'s), but a system's default may be another device each time. Pure.

use std::time::Duration;

use super::Error;

/// How often a device that is missing or was lost is looked for: soon enough for somebody who has
/// just put the plug back in.
const LOOK: Duration = Duration::from_secs(2);
/// The first wait for a device that another program has, and the longest.
const BUSY_FIRST: Duration = Duration::from_secs(1);
const BUSY_MOST: Duration = Duration::from_secs(8);
/// A device that is lost again at once isn't opened as fast as it can be.
const FIRST: Duration = Duration::from_millis(200);

/// The failures since sound came last.
#[derive(Debug, Default)]
pub(super) struct Retry {
    said: Option<Error>,
    tries: u32,
}

/// What to do about a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether it is news.
    pub(super) say: bool,
    /// When to try again; `None`: when somebody chooses another.
    pub(super) after: Option<Duration>,
}

impl Retry {
    /// Sound comes, or another device was chosen.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// It couldn't be opened, or stopped.
    pub(super) fn failed(&mut self, error: &Error) -> Verdict {
        self.tries = self.tries.saturating_add(1);
        let after = match error {
            Error::Busy => {
                let doubled = 2_u32.saturating_pow(self.tries - 1);
                Some(BUSY_FIRST.saturating_mul(doubled).min(BUSY_MOST))
            }
            Error::Lost(_) if self.tries == 1 => Some(FIRST),
            error => error.may_pass().then_some(LOOK),
        };
        // A device that was pulled out is missing when it is looked for: the same, said worse.
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

    fn waits(errors: &[Error]) -> Vec<(bool, Option<u64>)> {
        let mut retry = Retry::default();
        let verdicts = errors.iter().map(|error| retry.failed(error));
        verdicts
            .map(|verdict| {
                (
                    verdict.say,
                    verdict.after.map(|wait| wait.as_millis() as u64),
                )
            })
            .collect()
    }

    #[test]
    fn what_was_pulled_out_is_said_once_and_looked_for_until_it_is_back() {
        let lost = Error::Lost("gone".into());
        assert_eq!(
            waits(&[lost, Error::Missing, Error::Missing]),
            [(true, Some(200)), (false, Some(2000)), (false, Some(2000))]
        );
    }

    #[test]
    fn what_is_busy_is_tried_ever_more_rarely() {
        let waits = waits(&[const { Error::Busy }; 6]);
        let seconds: Vec<_> = waits
            .iter()
            .map(|(_, after)| after.unwrap() / 1000)
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 8, 8]);
    }

    #[test]
    fn what_does_not_pass_waits_for_a_person() {
        for error in [Error::Denied, Error::Unsupported("x".into())] {
            assert_eq!(
                waits(&[error.clone(), error]),
                [(true, None), (false, None)]
            );
        }
        let mut retry = Retry::default();
        retry.failed(&Error::Denied);
        retry.reset();
        assert!(
            retry.failed(&Error::Denied).say,
            "another choice is another story"
        );
    }
}
