//! What is told to people changes only when what is measured says so for a while: a figure that
//! swings around its limit doesn't make the screen flicker.

use std::time::Duration;

use visita_protocol::time::Now;

/// How long something must be so before it is told. Worse is greater.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Before it is said to be worse.
    pub(crate) worse: Duration,
    /// Before it is said to be better.
    pub(crate) better: Duration,
}

/// A state that is told steadily.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steady<T> {
    told: T,
    /// What it would be told next, and since when nothing less is so.
    coming: Option<(T, Now)>,
}

impl<T: Copy + Ord> Steady<T> {
    /// What is told now.
    pub(crate) fn told(&self) -> T {
        self.told
    }

    /// Takes what is measured now, and gives what is told.
    pub(crate) fn take(&mut self, now: Now, measured: T, patience: Patience) -> T {
        if measured == self.told {
            self.coming = None;
            return self.told;
        }
        let worse = measured > self.told;
        let since = match self.coming {
            // Still on the same side: of what was so all the time, the least is told.
            Some((coming, since)) if (coming > self.told) == worse => {
                let least = if worse {
                    coming.min(measured)
                } else {
                    coming.max(measured)
                };
                self.coming = Some((least, since));
                since
            }
            _ => {
                self.coming = Some((measured, now));
                now
            }
        };
        let patience = if worse {
            patience.worse
        } else {
            patience.better
        };
        if now.since(since) >= patience
            && let Some((coming, _)) = self.coming.take()
        {
            self.told = coming;
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        worse: Duration::from_secs(4),
        better: Duration::from_secs(10),
    };

    /// What is told each second, while `measured` is so.
    fn told(measured: &[u8]) -> Vec<u8> {
        let mut steady = Steady::default();
        (0..)
            .zip(measured)
            .map(|(second, &measured)| steady.take(Now(second * 1_000_000), measured, PATIENCE))
            .collect()
    }

    #[test]
    fn a_moment_is_not_told_and_a_while_is() {
        assert_eq!(told(&[0, 1, 1, 1, 0, 1, 1, 1, 1, 0]), [0; 10]);
        assert_eq!(told(&[0, 1, 1, 1, 1, 1, 1]), [0, 0, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn of_several_the_least_that_was_so_all_the_time_is_told() {
        assert_eq!(
            told(&[0, 2, 1, 2, 2, 2, 2, 2, 2, 2]),
            [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
        );
    }

    #[test]
    fn better_takes_longer_than_worse() {
        let mut measured = vec![1; 6];
        measured.extend([0; 12]);
        let told = told(&measured);
        assert_eq!(told[4], 1);
        assert_eq!(told[15], 1);
        assert_eq!(told[16], 0);
    }

    #[test]
    fn without_patience_it_is_told_at_once() {
        let mut steady = Steady::default();
        let none = Patience {
            worse: Duration::ZERO,
            better: Duration::ZERO,
        };
        assert_eq!(steady.take(Now(0), 2, none), 2);
        assert_eq!(steady.take(Now(0), 1, none), 1);
        assert_eq!(steady.told(), 1);
    }
}
