//! Whatever a room's members do and say of their sound: who has a place keeps it while speaking,
//! nobody has two, and the active speaker is somebody who is there.

use std::{collections::BTreeMap, time::Duration};

use proptest::{collection::vec, prelude::*};
use visita_protocol::{
    control::Role,
    id::MemberId,
    sound::Level,
    speakers::{LOUDEST, SMALL_ROOM, Speaker, Speakers},
    time::Now,
};

#[derive(Clone, Debug)]
enum Event {
    Join { member: u32, bedside: bool },
    Leave { member: u32 },
    Mute { member: u32 },
    Hear { member: u32, level: Option<u8> },
    Pass { ms: u64 },
}

fn event() -> impl Strategy<Value = Event> {
    let member = 0..9_u32;
    let loud = prop_oneof![
        Just(None),
        any::<u8>().prop_map(Some),
        (0..8_u8).prop_map(|steps| Some(0x80 | (steps * 6))),
    ];
    prop_oneof![
        2 => (member.clone(), prop::bool::weighted(0.2))
            .prop_map(|(member, bedside)| Event::Join { member, bedside }),
        1 => member.clone().prop_map(|member| Event::Leave { member }),
        1 => member.clone().prop_map(|member| Event::Mute { member }),
        40 => (member, loud).prop_map(|(member, level)| Event::Hear { member, level }),
        10 => prop_oneof![9 => 1..50_u64, 1 => 50..3_000_u64].prop_map(|ms| Event::Pass { ms }),
    ]
}

/// What the test knows of a member.
#[derive(Clone, Copy, Default)]
struct Known {
    bedside: bool,
    /// When its last frame with voice was forwarded, if it was its last.
    word: Option<Now>,
    /// Since when it says voice without a break.
    unbroken: Option<Now>,
}

/// Silence within a word is shorter than this, and nobody speaks this long without breath.
const WITHIN_A_WORD: Duration = Duration::from_millis(200);
const BREATH: Duration = Duration::from_secs(20);
const FLICKER: Duration = Duration::from_secs(1);

struct World {
    speakers: Speakers,
    now: Now,
    known: BTreeMap<u32, Known>,
    active: Option<MemberId>,
    changed: Option<Now>,
}

impl World {
    fn told(&mut self, speaker: Option<Speaker>, forced: bool) -> Result<(), TestCaseError> {
        if let Some(Speaker(speaker)) = speaker {
            prop_assert_ne!(speaker, self.active, "told what was known");
            if let Some(changed) = self.changed.filter(|_| !forced) {
                prop_assert!(self.now.since(changed) >= FLICKER);
            }
            self.changed = (!forced || speaker.is_some()).then_some(self.now);
            self.active = speaker;
        }
        prop_assert_eq!(self.speakers.active(), self.active);
        if let Some(active) = self.active {
            prop_assert!(
                self.known.contains_key(&active.0),
                "somebody who isn't there"
            );
        }
        Ok(())
    }

    fn hear(&mut self, member: u32, level: Option<u8>) -> Result<(), TestCaseError> {
        let level = level.map(Level::from_byte);
        let (now, small) = (self.now, self.known.len() <= SMALL_ROOM);
        let heard = self.speakers.heard(now, MemberId(member), level);
        let voice = level.is_some_and(Level::voice);
        match self.known.get_mut(&member) {
            None => prop_assert!(!heard.forward, "of somebody who isn't there"),
            Some(known) => {
                if small || known.bedside {
                    prop_assert!(heard.forward);
                }
                let within = known
                    .word
                    .is_some_and(|word| now.since(word) < WITHIN_A_WORD);
                let breathes = known
                    .unbroken
                    .is_none_or(|unbroken| now.since(unbroken) <= BREATH);
                if within && breathes {
                    prop_assert!(heard.forward, "cut in the middle of a word");
                }
                if voice {
                    known.unbroken.get_or_insert(now);
                    known.word = (heard.forward && breathes).then_some(now);
                } else {
                    known.unbroken = None;
                }
            }
        }
        self.told(heard.speaker, false)
    }

    fn happens(&mut self, event: Event) -> Result<(), TestCaseError> {
        match event {
            Event::Join { member, bedside } => {
                let role = if bedside { Role::Bedside } else { Role::Family };
                self.speakers.joined(MemberId(member), role);
                let known = Known {
                    bedside,
                    ..Known::default()
                };
                self.known.entry(member).or_insert(known);
                Ok(())
            }
            Event::Leave { member } => {
                self.known.remove(&member);
                let speaker = self.speakers.left(self.now, MemberId(member));
                self.told(speaker, true)
            }
            Event::Mute { member } => {
                if let Some(known) = self.known.get_mut(&member) {
                    *known = Known {
                        bedside: known.bedside,
                        ..Known::default()
                    };
                }
                let speaker = self.speakers.muted(self.now, MemberId(member));
                let stays = self.active == Some(MemberId(member)) && speaker.is_none();
                prop_assert!(!stays, "muted, and still the active speaker");
                self.told(speaker, true)
            }
            Event::Hear { member, level } => self.hear(member, level),
            Event::Pass { ms } => {
                self.now = self.now.plus(Duration::from_millis(ms));
                let speaker = self.speakers.tick(self.now);
                self.told(speaker, false)
            }
        }
    }

    /// How many have a place that isn't theirs by right.
    fn places(&self) -> usize {
        let others = self.known.iter().filter(|(_, known)| !known.bedside);
        others
            .filter(|(member, _)| self.speakers.is_forwarded(MemberId(**member)))
            .count()
    }
}

proptest! {
    #[test]
    fn who_speaks_in_a_room(grows in any::<bool>(), events in vec(event(), 0..600)) {
        let mut world = World {
            speakers: Speakers::new(),
            now: Now(5_000_000),
            known: BTreeMap::new(),
            active: None,
            changed: None,
        };
        if !grows {
            for member in 0..9 {
                world.happens(Event::Join { member, bedside: member == 0 })?;
            }
        }
        for event in events {
            let leaves = matches!(event, Event::Leave { .. });
            if leaves && !grows {
                continue;
            }
            world.happens(event)?;
            // Four who had all of a small room may keep it until they pause.
            let most = if grows { SMALL_ROOM } else { LOUDEST };
            prop_assert!(world.places() <= most);
        }
    }
}
