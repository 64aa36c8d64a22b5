//! Who is in which slot of a participant's offer. Pure.

use str0m::media::Mid;
use visita_protocol::{control::Slot, id::MemberId};

/// A sound and a picture that the participant offered to receive, in one media stream of its.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) sound: Mid,
    pub(crate) picture: Mid,
}

#[derive(Debug)]
struct Seated {
    pair: Pair,
    member: Option<MemberId>,
    /// Whether anything of it goes out.
    used: bool,
}

/// The slots. Who had one keeps it for as long as nobody else needs it, so that a picture that is
/// hidden and shown again is in the same place.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    seats: Vec<Seated>,
    changed: bool,
}

impl Slots {
    pub(crate) fn new(pairs: Vec<Pair>) -> Self {
        let seats = pairs.into_iter().map(|pair| Seated {
            pair,
            member: None,
            used: false,
        });
        Self {
            seats: seats.collect(),
            changed: false,
        }
    }

    /// Something of this member goes out from now on, or nothing any more.
    pub(crate) fn route(&mut self, member: MemberId, used: bool) {
        if let Some(seat) = self.seats.iter_mut().find(|s| s.member == Some(member)) {
            seat.used = used;
            return;
        }
        if !used {
            return;
        }
        let free = |seat: &&mut Seated| seat.member.is_none();
        let seat = match self.seats.iter_mut().find(free) {
            Some(seat) => Some(seat),
            None => self.seats.iter_mut().find(|seat| !seat.used),
        };
        if let Some(seat) = seat {
            seat.member = Some(member);
            seat.used = true;
            self.changed = true;
        }
    }

    /// This member's slot, if it has one.
    pub(crate) fn of(&self, member: MemberId) -> Option<Pair> {
        let seat = self.seats.iter().find(|seat| seat.member == Some(member))?;
        Some(seat.pair)
    }

    /// Who is in the slot with this picture.
    pub(crate) fn member(&self, picture: Mid) -> Option<MemberId> {
        let seat = self
            .seats
            .iter()
            .find(|seat| seat.pair.picture == picture)?;
        seat.member
    }

    /// Who is where, if that changed since it was asked last.
    pub(crate) fn changed(&mut self) -> Option<Vec<Slot>> {
        std::mem::take(&mut self.changed).then(|| {
            let taken = self.seats.iter().filter_map(|seat| {
                Some(Slot {
                    member: seat.member?,
                    sound: seat.pair.sound.to_string(),
                    picture: seat.pair.picture.to_string(),
                })
            });
            taken.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(number: usize) -> Slots {
        let pair = |n: usize| Pair {
            sound: Mid::from(format!("{}", 2 * n).as_str()),
            picture: Mid::from(format!("{}", 2 * n + 1).as_str()),
        };
        Slots::new((0..number).map(pair).collect())
    }

    fn who(slots: &mut Slots) -> Option<Vec<u32>> {
        let told = slots.changed()?;
        Some(told.iter().map(|slot| slot.member.0).collect())
    }

    #[test]
    fn everybody_gets_one_while_there_are_any_and_it_is_told_once() {
        let mut slots = slots(2);
        slots.route(MemberId(7), true);
        slots.route(MemberId(8), true);
        slots.route(MemberId(9), true);
        assert_eq!(who(&mut slots), Some(vec![7, 8]));
        assert_eq!(who(&mut slots), None);
        assert_eq!(slots.of(MemberId(9)), None);
        assert_eq!(slots.member(Mid::from("3")), Some(MemberId(8)));
        assert_eq!(slots.member(Mid::from("2")), None, "that is a sound");
    }

    #[test]
    fn who_is_hidden_keeps_it_until_another_needs_it() {
        let mut slots = slots(2);
        slots.route(MemberId(7), true);
        slots.route(MemberId(8), true);
        let before = slots.of(MemberId(7));
        who(&mut slots);
        slots.route(MemberId(7), false);
        slots.route(MemberId(7), true);
        assert_eq!((slots.of(MemberId(7)), who(&mut slots)), (before, None));
        slots.route(MemberId(7), false);
        slots.route(MemberId(9), true);
        assert_eq!(who(&mut slots), Some(vec![9, 8]));
        assert_eq!(
            (slots.of(MemberId(7)), slots.of(MemberId(9))),
            (None, before)
        );
    }
}
