//! Six digits that lead into a room, for who can't scan: made on request, valid for minutes, and
//! guarded against who tries them out ([`tries`]).

pub mod tries;

use std::{collections::HashMap, fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ts_rs::TS;

use crate::{error, id::RoomId, time::Now};

/// How many codes there are.
const ALL: u32 = 1_000_000;

/// Draws of the random generator for one code. With the most codes that are valid at once
/// ([`Codes::new`]) nine of ten draws are free.
const DRAWS: usize = 32;

/// Six digits. They open a door, so they are never printed but to the one who asked for them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, TS)]
#[ts(type = "string")]
pub struct RoomCode(u32);

/// Text that isn't six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected six digits")]
pub struct NotSixDigits;

impl RoomCode {
    /// The digits, for the wire and for the one who asked.
    pub fn digits(&self) -> String {
        format!("{:06}", self.0)
    }

    /// The code that a random number stands for; `None` for the few at the end of the range that
    /// would make some codes likelier than others.
    fn drawn(random: u32) -> Option<Self> {
        (random < u32::MAX - u32::MAX % ALL).then_some(Self(random % ALL))
    }
}

impl fmt::Debug for RoomCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomCode(…)")
    }
}

impl FromStr for RoomCode {
    type Err = NotSixDigits;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let six = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| six);
        number.map(Self).ok_or(NotSixDigits)
    }
}

impl Serialize for RoomCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.digits())
    }
}

impl<'de> Deserialize<'de> for RoomCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A code as it is told to the one who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The code.
    pub code: RoomCode,
    /// For how long it still leads into the room.
    pub valid: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    room: RoomId,
    until: Now,
}

/// All codes that are valid.
#[derive(Debug)]
pub struct Codes {
    valid: Duration,
    most: usize,
    all: HashMap<RoomCode, Entry>,
}

impl Codes {
    /// No codes yet. Each will be valid for so long; there are at most as many at once that a
    /// hundredth of all six digits lead somewhere, whatever the number of rooms.
    pub fn new(valid: Duration) -> Self {
        Self {
            valid,
            most: ALL as usize / 100,
            all: HashMap::new(),
        }
    }

    /// A code for this room. The newest one is told again while more than half of its time is left:
    /// the fewer codes are valid, the harder one is guessed, and who reads it aloud now has minutes.
    /// An older one goes on until its time is over: somebody may be typing it. `random` gives
    /// uniformly distributed numbers. [`error::Code::Busy`] when there are as many as may be.
    pub fn make(
        &mut self,
        now: Now,
        room: RoomId,
        mut random: impl FnMut() -> u32,
    ) -> Result<Made, error::Code> {
        self.forget(now);
        let newest = self.all.iter().filter(|(_, entry)| entry.room == room);
        if let Some((code, entry)) = newest.max_by_key(|(_, entry)| entry.until)
            && entry.until.since(now) > self.valid / 2
        {
            return Ok(Made {
                code: *code,
                valid: entry.until.since(now),
            });
        }
        if self.all.len() >= self.most {
            return Err(error::Code::Busy);
        }
        let free = (0..DRAWS)
            .filter_map(|_| RoomCode::drawn(random()))
            .find(|code| !self.all.contains_key(code));
        let code = free.ok_or(error::Code::Busy)?;
        let until = now.plus(self.valid);
        self.all.insert(code, Entry { room, until });
        Ok(Made {
            code,
            valid: self.valid,
        })
    }

    /// The room that a code leads to.
    pub fn room(&self, now: Now, code: RoomCode) -> Option<RoomId> {
        let entry = self.all.get(&code).filter(|entry| now < entry.until)?;
        Some(entry.room)
    }

    /// Forgets codes whose time or whose room is over.
    pub fn tick(&mut self, now: Now, lives: impl Fn(RoomId) -> bool) {
        self.forget(now);
        self.all.retain(|_, entry| lives(entry.room));
    }

    fn forget(&mut self, now: Now) {
        self.all.retain(|_, entry| now < entry.until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: Duration = Duration::from_mins(10);

    fn at(minutes: u64) -> Now {
        Now(minutes * 60_000_000)
    }

    fn room(number: u8) -> RoomId {
        RoomId([number; 8])
    }

    #[test]
    fn six_digits_are_read_and_nothing_else() {
        for digits in ["000000", "012345", "999999"] {
            let code: RoomCode = digits.parse().unwrap();
            assert_eq!(code.digits(), digits);
            assert_eq!(
                serde_json::to_string(&code).unwrap(),
                format!("\"{digits}\"")
            );
        }
        for bad in [
            "",
            "12345",
            "1234567",
            "12345a",
            "+12345",
            "-12345",
            "123 45",
            "１２３４５６",
            "12345\n",
        ] {
            assert_eq!(bad.parse::<RoomCode>(), Err(NotSixDigits), "{bad:?}");
        }
        let code: RoomCode = "123456".parse().unwrap();
        assert!(!format!("{code:?}").contains("123456"));
    }

    #[test]
    fn a_code_leads_to_its_room_for_its_time() {
        let mut codes = Codes::new(VALID);
        let made = codes.make(at(0), room(1), || 1_000_007).unwrap();
        assert_eq!(made.code.digits(), "000007");
        assert_eq!(made.valid, VALID);
        assert_eq!(codes.room(at(9), made.code), Some(room(1)));
        assert_eq!(codes.room(at(10), made.code), None);
        assert_eq!(codes.room(at(1), "000008".parse().unwrap()), None);
    }

    #[test]
    fn a_room_is_told_its_code_again_while_it_is_young() {
        let mut codes = Codes::new(VALID);
        let mut next = 0;
        let mut random = || {
            next += 1;
            next
        };
        let first = codes.make(at(0), room(1), &mut random).unwrap();
        let again = codes.make(at(4), room(1), &mut random).unwrap();
        assert_eq!(again.code, first.code);
        assert_eq!(again.valid, Duration::from_mins(6));
        let second = codes.make(at(5), room(1), &mut random).unwrap();
        assert_ne!(second.code, first.code);
        for code in [first.code, second.code] {
            assert_eq!(
                codes.room(at(9), code),
                Some(room(1)),
                "both still lead there"
            );
        }
        assert_eq!(
            codes.make(at(6), room(1), &mut random).unwrap().code,
            second.code
        );
    }

    #[test]
    fn two_rooms_never_share_a_code() {
        let mut codes = Codes::new(VALID);
        let first = codes.make(at(0), room(1), || 5).unwrap();
        let mut draws = [5, u32::MAX, 6].into_iter();
        let second = codes
            .make(at(0), room(2), || draws.next().unwrap())
            .unwrap();
        assert_ne!(first.code, second.code);
        assert_eq!(second.code.digits(), "000006");
        assert_eq!(codes.make(at(0), room(3), || 5), Err(error::Code::Busy));
        // A code whose time is over is free again.
        assert!(codes.make(at(10), room(3), || 5).is_ok());
    }

    #[test]
    fn a_code_dies_with_its_room() {
        let mut codes = Codes::new(VALID);
        let gone = codes.make(at(0), room(1), || 1).unwrap();
        let stays = codes.make(at(0), room(2), || 2).unwrap();
        codes.tick(at(1), |one| one != room(1));
        assert_eq!(codes.room(at(1), gone.code), None);
        assert_eq!(codes.room(at(1), stays.code), Some(room(2)));
        codes.tick(at(10), |_| true);
        assert!(codes.all.is_empty());
    }

    #[test]
    fn there_are_never_so_many_that_a_guess_is_likely() {
        let mut codes = Codes::new(VALID);
        let mut next = 0;
        let mut made = 0;
        while codes
            .make(at(0), RoomId(u64::to_be_bytes(made)), || {
                next += 1;
                next
            })
            .is_ok()
        {
            made += 1;
        }
        assert_eq!(made, 10_000);
    }

    #[test]
    fn every_code_is_as_likely_as_every_other() {
        let over = u32::MAX - u32::MAX % ALL;
        assert_eq!(over % ALL, 0);
        assert_eq!(RoomCode::drawn(over - 1).unwrap().digits(), "999999");
        assert_eq!(RoomCode::drawn(over), None);
        assert_eq!(RoomCode::drawn(u32::MAX), None);
    }
}
