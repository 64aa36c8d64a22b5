//! Who types wrong codes, and how often.
//!
//! Six digits can be tried out, so wrong ones have a price. A ward has some 30 codes valid at once
//! on a busy day: one guess in 33,000 is right.
//!
//! - **One address** has five wrong tries at once: a person who mistypes needs two. After the fifth
//!   it waits 30 seconds, and after each further one twice as long, to 15 minutes at most; it starts
//!   anew after four hours without. So one address guesses some 100 times a day, and is right once
//!   in a year. A right code gives nothing back, or one who has one could guess on.
//! - **All addresses together** have 60 wrong tries at once and ten more a minute. An attacker with
//!   many addresses has 14,400 guesses a day, and is right every two or three days; it then stands
//!   where anybody with a code stands. It takes twelve addresses to use up what comes at once, and
//!   150 to keep it so. Meanwhile nobody's code is looked at, but links and QR codes go on working.
//!
//! What is refused for its rate costs nothing more: waiting ends when it was said to end.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use crate::time::Now;

/// After how long without a wrong try an address is forgotten.
const FORGET: Duration = Duration::from_hours(4);
/// The first wait of an address.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// Its longest.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// How many wrong tries there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of one address before it waits.
    pub of_address: u32,
    /// Of all addresses, a minute; six minutes' worth may come at once.
    pub per_minute: u32,
}

/// Minutes' worth of wrong tries of all together that may come at once.
const BURST: u32 = 6;

#[derive(Clone, Copy, Debug)]
struct Tried {
    wrong: u32,
    last: Now,
}

/// The wrong tries lately.
#[derive(Debug)]
pub struct Tries {
    limits: Limits,
    /// By address; a wrong try of all together stands behind each, so there are at most as many as
    /// may come in four hours.
    of_address: HashMap<IpAddr, Tried>,
    /// What all together still have, in microseconds of waiting: a minute is `per_minute` tries.
    left: Duration,
    at: Now,
}

impl Tries {
    /// Nobody has tried yet.
    pub fn new(now: Now, limits: Limits) -> Self {
        Self {
            limits,
            of_address: HashMap::new(),
            left: Duration::from_mins(1) * BURST,
            at: now,
        }
    }

    /// Whether a code from this address may be looked at; `Err` says how long to wait. Callers fold
    /// what is one customer (an IPv6 /64) into one address.
    pub fn may(&mut self, now: Now, address: IpAddr) -> Result<(), Duration> {
        self.refill(now);
        let tried = self.of_address.get(&address);
        let own = tried.map_or(Duration::ZERO, |tried| {
            self.wait(tried.wrong).saturating_sub(now.since(tried.last))
        });
        let wait = own.max(self.price().saturating_sub(self.left));
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// The code was wrong.
    pub fn wrong(&mut self, now: Now, address: IpAddr) {
        self.refill(now);
        self.left = self.left.saturating_sub(self.price());
        let tried = self.of_address.entry(address).or_insert(Tried {
            wrong: 0,
            last: now,
        });
        tried.wrong = tried.wrong.saturating_add(1);
        tried.last = now;
    }

    /// Forgets those who tried nothing for long.
    pub fn tick(&mut self, now: Now) {
        self.of_address
            .retain(|_, tried| now.since(tried.last) < FORGET);
    }

    /// What one wrong try costs all together.
    fn price(&self) -> Duration {
        Duration::from_mins(1) / self.limits.per_minute
    }

    fn wait(&self, wrong: u32) -> Duration {
        match wrong.checked_sub(self.limits.of_address) {
            None => Duration::ZERO,
            // Beyond five doublings it is the longest anyway.
            Some(over) => (FIRST_WAIT * (1 << over.min(5))).min(LONGEST_WAIT),
        }
    }

    fn refill(&mut self, now: Now) {
        self.left = (self.left + now.since(self.at)).min(Duration::from_mins(1) * BURST);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        of_address: 5,
        per_minute: 10,
    };
    const DAY: Duration = Duration::from_hours(24);

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    /// Guesses as fast as it is let, from these addresses in turn, for so long; how many were let.
    fn guesses(tries: &mut Tries, from: Now, long: Duration, addresses: u32) -> u32 {
        let mut now = from;
        let mut let_in = 0;
        while now.since(from) < long {
            let mut wait = Duration::MAX;
            for number in 1..=addresses {
                match tries.may(now, address(number)) {
                    Ok(()) => {
                        tries.wrong(now, address(number));
                        let_in += 1;
                        wait = Duration::ZERO;
                    }
                    Err(longer) => wait = wait.min(longer),
                }
            }
            tries.tick(now);
            now = now.plus(wait);
        }
        let_in
    }

    #[test]
    fn one_guesser_gets_a_hundred_tries_a_day() {
        let mut tries = Tries::new(Now(0), LIMITS);
        assert_eq!(guesses(&mut tries, Now(0), Duration::from_secs(1), 1), 5);
        let mut tries = Tries::new(Now(0), LIMITS);
        let day = guesses(&mut tries, Now(0), DAY, 1);
        assert!((95..=110).contains(&day), "{day}");
    }

    #[test]
    fn resting_until_it_is_forgotten_gains_a_guesser_nothing() {
        let mut tries = Tries::new(Now(0), LIMITS);
        let mut now = Now(0);
        let mut day = 0;
        // As many as go fast, then a rest that has it forgotten.
        while now < Now(0).plus(DAY) {
            day += guesses(&mut tries, now, Duration::from_mins(15), 1);
            now = now.plus(Duration::from_mins(15) + FORGET);
            tries.tick(now);
        }
        assert!(day <= 70, "{day}");
    }

    #[test]
    fn others_go_on_while_one_guesses() {
        let mut tries = Tries::new(Now(0), LIMITS);
        let mut now = Now(0);
        for _ in 0..1_000 {
            let _ = guesses(&mut tries, now, Duration::from_secs(30), 1);
            now = now.plus(Duration::from_secs(30));
            assert_eq!(tries.may(now, address(99)), Ok(()));
        }
    }

    #[test]
    fn many_addresses_have_a_bound_in_all_and_that_is_when_others_wait() {
        let mut tries = Tries::new(Now(0), LIMITS);
        assert_eq!(guesses(&mut tries, Now(0), Duration::from_secs(1), 400), 60);
        let now = Now(1_000_000);
        let wait = tries.may(now, address(9_999)).unwrap_err();
        assert!(wait <= Duration::from_secs(6), "{wait:?}");
        assert_eq!(tries.may(now.plus(wait), address(9_999)), Ok(()));
        let mut tries = Tries::new(Now(0), LIMITS);
        let day = guesses(&mut tries, Now(0), DAY, 400);
        assert!((14_000..=14_500).contains(&day), "{day}");
    }

    #[test]
    fn a_wait_doubles_to_its_longest_and_ends_when_it_was_said() {
        let mut tries = Tries::new(Now(0), LIMITS);
        let mut now = Now(0);
        let mut waits = Vec::new();
        for _ in 0..12 {
            if let Err(wait) = tries.may(now, address(1)) {
                waits.push(wait.as_secs());
                now = now.plus(wait);
                assert_eq!(tries.may(now, address(1)), Ok(()));
            }
            tries.wrong(now, address(1));
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
        tries.tick(now.plus(FORGET));
        assert!(tries.of_address.is_empty());
    }

    #[test]
    fn being_refused_and_being_right_cost_nothing() {
        let mut tries = Tries::new(Now(0), LIMITS);
        for _ in 0..5 {
            tries.wrong(Now(0), address(1));
        }
        for _ in 0..1_000 {
            assert!(tries.may(Now(1), address(1)).is_err());
        }
        assert_eq!(tries.may(Now(30_000_000), address(1)), Ok(()));
        assert_eq!(tries.may(Now(1), address(2)), Ok(()));
        assert_eq!(tries.of_address.len(), 1);
    }
}
