//! A conversation of twelve people, simulated: whose words are forwarded, and who is the active
//! speaker. `cargo test -p visita-protocol --test conversation -- --nocapture` prints the figures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // also in what the tests are made of

use std::collections::BTreeMap;

use visita_protocol::{
    control::Role,
    id::MemberId,
    sound::{Level, Meter},
    speakers::{Speaker, Speakers},
    time::Now,
};

/// The patient, who whispers: no voice activity sees it.
const BED: usize = 0;
const PEOPLE: usize = 12;
const FRAME_MS: u64 = 20;
/// Who ended keeps the place for 600 ms after the last level that said voice, and levels are held.
const PAUSE_MS: u64 = 800;

/// SplitMix64: the same conversation each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }
}

/// One person's voice: words with pauses between them, for as long as its turn lasts.
struct Person {
    id: MemberId,
    /// The mean level of its words, in dBov.
    loud: f32,
    /// Frames of the turn that are left, and of the word or pause in it.
    turn: u64,
    part: u64,
    in_word: bool,
    /// When its last word ended.
    ended: u64,
    meter: Meter,
    /// What became of each frame of the word so far.
    word: Vec<bool>,
    words: Words,
}

/// What became of somebody's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Words {
    whole: u32,
    /// Heard from the middle on: somebody else had to end first.
    late: u32,
    /// Broken off in the middle.
    cut: u32,
    not_heard: u32,
}

impl Person {
    fn new(index: usize, dice: &mut Dice) -> Self {
        Self {
            id: MemberId(index as u32 + 1),
            loud: -24.0 - dice.between(0, 14) as f32,
            turn: 0,
            part: 0,
            in_word: false,
            ended: 0,
            meter: Meter::new(),
            word: Vec::new(),
            words: Words::default(),
        }
    }

    /// Whether it has the word, and for a moment longer: a place is kept over a pause.
    fn speaks(&self, ms: u64) -> bool {
        self.turn > 0 || self.in_word || ms - self.ended <= PAUSE_MS
    }

    fn begins(&mut self, ms: u64) {
        self.turn = ms / FRAME_MS;
    }

    /// Goes on for a frame; gives its loudness and whether it is part of a word.
    fn frame(&mut self, ms: u64, dice: &mut Dice) -> (f32, bool) {
        if self.part == 0 {
            self.in_word = !self.in_word && self.turn > 0;
            self.part = if self.in_word {
                dice.between(160, 700) / FRAME_MS
            } else {
                dice.between(60, 320) / FRAME_MS
            };
        }
        self.part -= 1;
        self.turn = self.turn.saturating_sub(1);
        let varies = dice.between(0, 10) as f32 - 5.0;
        if self.in_word {
            self.ended = ms;
            (self.loud + varies, true)
        } else {
            (-66.0 + varies, false)
        }
    }

    fn heard(&mut self, in_word: bool, forwarded: bool) {
        if in_word {
            self.word.push(forwarded);
        }
        if self.word.is_empty() || in_word && self.part > 0 {
            return;
        }
        let heard = self.word.iter().filter(|heard| **heard).count();
        let count = match self.word.iter().rposition(|heard| !heard) {
            None => &mut self.words.whole,
            Some(_) if heard == 0 => &mut self.words.not_heard,
            // All that was missed came before all that was heard.
            Some(last) if last + 1 == self.word.len() - heard => &mut self.words.late,
            Some(_) => &mut self.words.cut,
        };
        *count += 1;
        self.word.clear();
    }
}

/// What came of it.
#[derive(Debug, Default)]
struct Figures {
    words: BTreeMap<MemberId, Words>,
    /// Of the bedside's frames.
    bedside_missed: u32,
    /// Of all but the bedside at once.
    most_at_once: usize,
    most_forwarded: usize,
    changes: u32,
    shortest_ms: u64,
    /// While exactly one person besides the bedside had the word for 2 s: whether it was shown.
    alone_ms: u64,
    alone_shown_ms: u64,
}

impl Figures {
    fn all(&self) -> Words {
        self.words
            .values()
            .fold(Words::default(), |sum, words| Words {
                whole: sum.whole + words.whole,
                late: sum.late + words.late,
                cut: sum.cut + words.cut,
                not_heard: sum.not_heard + words.not_heard,
            })
    }
}

/// Twelve people talk for so many minutes, at most `at_once` of them (and the patient) at a time.
/// The last one may lie: it says to be as loud as can be, all the time.
fn talk(minutes: u64, at_once: usize, liar: bool, seed: u64) -> Figures {
    let mut dice = Dice(seed);
    let mut people: Vec<Person> = (0..PEOPLE)
        .map(|index| Person::new(index, &mut dice))
        .collect();
    people[BED].loud = -54.0;
    let mut speakers = Speakers::new();
    for (index, person) in people.iter().enumerate() {
        let role = if index == BED {
            Role::Bedside
        } else {
            Role::Family
        };
        speakers.joined(person.id, role);
    }
    let honest = if liar { PEOPLE - 1 } else { PEOPLE };
    let mut figures = Figures {
        shortest_ms: u64::MAX,
        ..Figures::default()
    };
    let (mut active, mut since) = (None, 0);
    let mut alone: Option<(MemberId, u64)> = None;
    for step in 0..minutes * 60_000 / FRAME_MS {
        let ms = 10_000 + step * FRAME_MS;
        let talking = || people[1..honest].iter().filter(|person| person.speaks(ms));
        let count = talking().count();
        figures.most_at_once = figures.most_at_once.max(count);
        alone = match (count, alone, talking().next()) {
            (1, Some(before), Some(one)) if before.0 == one.id => Some(before),
            (1, _, Some(one)) => Some((one.id, ms)),
            _ => None,
        };
        // Somebody answers, falls in, or says "yes" meanwhile; more often when nobody talks.
        let falls_in = dice.between(0, if count == 0 || at_once > 3 { 50 } else { 150 }) == 0;
        if falls_in && count < at_once {
            let who = dice.between(1, honest as u64 - 1) as usize;
            let long = if dice.between(0, 2) == 0 {
                dice.between(200, 600)
            } else {
                dice.between(1_500, 9_000)
            };
            if !people[who].speaks(ms) {
                people[who].begins(long);
            }
        }
        if !people[BED].speaks(ms) && dice.between(0, 400) == 0 {
            people[BED].begins(dice.between(500, 4_000));
        }
        let mut forwarded = 0;
        for (index, person) in people.iter_mut().enumerate() {
            let now = Now(ms * 1000 + index as u64);
            let lies = index >= honest;
            let (loud, in_word) = person.frame(ms, &mut dice);
            let mut level = person.meter.frame(loud, in_word && index != BED);
            if lies {
                level = Level::new(0.0, true);
            }
            let heard = speakers.heard(now, person.id, Some(level));
            person.heard(in_word && !lies, heard.forward);
            if index == BED {
                figures.bedside_missed += u32::from(!heard.forward);
            } else {
                forwarded += usize::from(heard.forward);
            }
            if let Some(Speaker(speaker)) = heard.speaker {
                figures.changes += 1;
                if active.is_some() {
                    figures.shortest_ms = figures.shortest_ms.min(ms - since);
                }
                (active, since) = (speaker, ms);
            }
        }
        figures.most_forwarded = figures.most_forwarded.max(forwarded);
        if let Some((one, from)) = alone
            && ms - from >= 2_000
        {
            figures.alone_ms += FRAME_MS;
            figures.alone_shown_ms += if active == Some(one) { FRAME_MS } else { 0 };
        }
    }
    figures.words = people[..honest]
        .iter()
        .map(|person| (person.id, person.words))
        .collect();
    figures
}

fn print(what: &str, figures: &Figures) {
    let words = figures.all();
    println!(
        "{what}: at most {} at once; words {words:?}; {} changes of the active speaker, the \
         shortest after {} ms; who spoke alone for 2 s was shown {:.1} % of the time",
        figures.most_at_once,
        figures.changes,
        figures.shortest_ms,
        100.0 * figures.alone_shown_ms as f64 / figures.alone_ms as f64,
    );
}

#[test]
fn up_to_three_at_once_are_heard_from_their_first_to_their_last_frame() {
    for seed in 0..5 {
        let figures = talk(30, 3, false, seed);
        print("three", &figures);
        let words = figures.all();
        assert!(words.whole > 1_000 && figures.most_at_once == 3);
        assert_eq!((words.late, words.cut, words.not_heard), (0, 0, 0));
        assert_eq!(figures.bedside_missed, 0);
        // At most: in the frame in which a place changes hands, both had it.
        assert!(figures.most_forwarded <= 6, "{}", figures.most_forwarded);
        assert!(figures.shortest_ms >= 1_000);
        assert!(figures.alone_shown_ms * 100 >= figures.alone_ms * 95);
    }
}

#[test]
fn when_more_talk_at_once_nobody_is_cut_in_the_middle_of_a_word() {
    for seed in 0..5 {
        let figures = talk(30, 7, false, seed);
        print("seven", &figures);
        let words = figures.all();
        assert!(figures.most_at_once > 4, "{}", figures.most_at_once);
        assert_eq!(words.cut, 0);
        assert!(
            words.not_heard > 0,
            "nobody had to wait: the test shows nothing"
        );
        assert_eq!(figures.bedside_missed, 0);
        assert_eq!(figures.words[&MemberId(1)].late, 0);
        assert!(figures.shortest_ms >= 1_000);
    }
}

#[test]
fn a_false_level_costs_one_place_and_no_words_of_two_others() {
    for seed in 0..5 {
        let figures = talk(30, 2, true, seed);
        print("two and a liar", &figures);
        let words = figures.all();
        assert!(words.whole > 1_000 && figures.most_at_once == 2);
        assert_eq!((words.late, words.cut, words.not_heard), (0, 0, 0));
        assert_eq!(figures.bedside_missed, 0);
    }
}
