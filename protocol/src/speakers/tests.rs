use super::*;

const BED: MemberId = MemberId(100);

/// A room of one bedside and so many others, who are 1, 2, …; a clock of 20 ms.
struct Room {
    speakers: Speakers,
    now: Now,
    said: Vec<Option<MemberId>>,
}

impl Room {
    fn new(others: u32) -> Self {
        let mut speakers = Speakers::new();
        speakers.joined(BED, Role::Bedside);
        for other in 1..=others {
            speakers.joined(MemberId(other), Role::Family);
        }
        Self {
            speakers,
            now: Now(1_000_000),
            said: Vec::new(),
        }
    }

    /// For so long, each of these sends frames of this level; gives whose last frame was forwarded.
    fn run(&mut self, ms: u64, levels: &[(u32, f32, bool)]) -> Vec<u32> {
        let mut forwarded = Vec::new();
        for _ in 0..ms / 20 {
            self.now = self.now.plus(Duration::from_millis(20));
            forwarded.clear();
            let ticked = self.speakers.tick(self.now);
            self.said.extend(ticked.map(|Speaker(speaker)| speaker));
            for &(member, dbov, voice) in levels {
                let level = Level::new(dbov, voice);
                let heard = self.speakers.heard(self.now, MemberId(member), Some(level));
                self.said
                    .extend(heard.speaker.map(|Speaker(speaker)| speaker));
                if heard.forward {
                    forwarded.push(member);
                }
            }
        }
        forwarded
    }
}

fn speak(member: u32) -> (u32, f32, bool) {
    (member, -30.0, true)
}

fn quiet(member: u32) -> (u32, f32, bool) {
    (member, -60.0, false)
}

#[test]
fn in_a_room_of_four_everybody_is_forwarded() {
    let mut room = Room::new(3);
    let all = [quiet(1), quiet(2), quiet(3), quiet(100)];
    assert_eq!(room.run(20, &all), [1, 2, 3, 100]);
    let all = [1, 2, 3, 100].map(speak);
    assert_eq!(room.run(60_000, &all), [1, 2, 3, 100]);
    assert!(room.speakers.is_forwarded(MemberId(2)));
    assert!(!room.speakers.is_forwarded(MemberId(9)), "who isn't here");
}

#[test]
fn a_first_word_is_forwarded_from_its_first_frame_while_somebody_rests() {
    let mut room = Room::new(6);
    room.run(5_000, &[1, 2, 3, 4, 5, 6].map(quiet));
    assert!(!room.speakers.is_forwarded(MemberId(6)));
    assert_eq!(room.run(20, &[speak(6)]), [6]);
    assert_eq!(room.run(20, &[speak(5)]), [5]);
}

#[test]
fn three_who_speak_keep_their_places_over_their_pauses() {
    let mut room = Room::new(6);
    for _ in 0..10 {
        let all = [1, 2, 3, 4].map(speak);
        assert_eq!(room.run(800, &all), [1, 2, 3]);
        assert_eq!(
            room.run(500, &[quiet(1), quiet(2), quiet(3), speak(4)]),
            [1, 2, 3]
        );
    }
    // Over the pause, the one who waits gets the place of one who stopped.
    let forwarded = room.run(700, &[speak(1), speak(2), quiet(3), speak(4)]);
    assert_eq!(forwarded, [1, 2, 4]);
}

#[test]
fn who_is_clearly_louder_gets_in_between_two_words_and_no_sooner() {
    let mut room = Room::new(6);
    let shout = (4, -12.0, true);
    assert_eq!(room.run(1_000, &[1, 2, 3].map(speak)), [1, 2, 3]);
    let all = [speak(1), speak(2), speak(3), shout];
    assert_eq!(room.run(5_000, &all), [1, 2, 3]);
    let all = [speak(1), quiet(2), speak(3), shout];
    assert_eq!(room.run(160, &all), [1, 2, 3], "a stop within a word");
    assert_eq!(room.run(60, &all), [1, 3, 4]);
}

#[test]
fn who_is_louder_for_a_moment_gets_nobodys_place() {
    let mut room = Room::new(6);
    room.run(1_000, &[1, 2, 3].map(speak));
    let bang = (4, 0.0, true);
    room.run(200, &[speak(1), quiet(2), speak(3), bang]);
    let after = room.run(300, &[speak(1), quiet(2), speak(3), quiet(4)]);
    assert_eq!(after, [1, 2, 3]);
}

#[test]
fn the_bedside_is_heard_whatever_happens() {
    let mut room = Room::new(8);
    let mut levels: Vec<_> = (1..=8).map(|member| (member, 0.0, true)).collect();
    levels.push((100, -72.0, false));
    for _ in 0..100 {
        let forwarded = room.run(20, &levels);
        assert_eq!(forwarded.len(), 4);
        assert!(forwarded.contains(&100));
    }
}

#[test]
fn a_false_level_takes_one_place_and_nobody_elses_words() {
    let mut room = Room::new(6);
    let liar = (6, 0.0, true);
    for second in 0..60 {
        for levels in [[speak(1), speak(2)], [quiet(1), quiet(2)]] {
            let forwarded = room.run(500, &[levels[0], levels[1], liar, quiet(3)]);
            assert_eq!(forwarded, [1, 2, 6], "{second}");
        }
    }
    // It never breathes, so one who does goes before it.
    let forwarded = room.run(2_000, &[speak(1), speak(2), liar, speak(3)]);
    assert_eq!(forwarded, [1, 2, 3]);
}

#[test]
fn who_is_muted_or_gone_leaves_the_place_to_others() {
    for gone in [Speakers::muted, Speakers::left] {
        let mut room = Room::new(6);
        room.run(1_000, &[1, 2, 3].map(speak));
        assert_eq!(room.run(1_000, &[1, 2, 3, 4].map(speak)), [1, 2, 3]);
        let _ = gone(&mut room.speakers, room.now, MemberId(2));
        assert!(!room.speakers.is_forwarded(MemberId(2)));
        assert_eq!(room.run(20, &[1, 3, 4].map(speak)), [1, 3, 4]);
    }
}

#[test]
fn nobody_is_cut_by_a_room_that_grows() {
    let mut room = Room::new(0);
    let _ = room.speakers.left(room.now, BED);
    for member in 1..=4 {
        room.speakers.joined(MemberId(member), Role::Guest);
    }
    room.run(1_000, &[1, 2, 3, 4].map(speak));
    room.speakers.joined(MemberId(5), Role::Guest);
    assert_eq!(room.run(1_000, &[1, 2, 3, 4, 5].map(speak)), [1, 2, 3, 4]);
    let all = [speak(1), speak(2), speak(3), quiet(4), speak(5)];
    assert_eq!(room.run(500, &all), [1, 2, 3, 4]);
    assert_eq!(room.run(200, &all), [1, 2, 3], "back to three");
}

#[test]
fn the_active_speaker_is_told_once_for_each_change() {
    let mut room = Room::new(4);
    room.run(280, &[speak(1)]);
    assert!(room.said.is_empty(), "a cough");
    room.run(10_000, &[speak(1)]);
    assert_eq!(room.said, [Some(MemberId(1))]);
    // Another one says yes meanwhile.
    room.run(400, &[speak(1), speak(2)]);
    // And speaks, after the first one has ended.
    room.run(3_000, &[quiet(1), speak(2)]);
    assert_eq!(room.said, [Some(MemberId(1)), Some(MemberId(2))]);
    assert_eq!(room.speakers.active(), Some(MemberId(2)));
    // Pauses change nothing, silence does.
    room.run(1_900, &[quiet(1), quiet(2)]);
    assert_eq!(room.said.len(), 2);
    room.run(200, &[]);
    assert_eq!(room.said[2..], [None]);
    room.run(60_000, &[]);
    assert_eq!(room.said.len(), 3);
}

#[test]
fn who_talks_over_the_active_speaker_must_be_clearly_louder_for_a_while() {
    let mut room = Room::new(4);
    room.run(3_000, &[speak(1)]);
    room.run(10_000, &[speak(1), speak(2)]);
    assert_eq!(room.speakers.active(), Some(MemberId(1)));
    let louder = [speak(1), (2, -18.0, true)];
    room.run(900, &louder);
    assert_eq!(room.speakers.active(), Some(MemberId(1)));
    room.run(1_000, &louder);
    assert_eq!(room.speakers.active(), Some(MemberId(2)));
}

#[test]
fn an_active_speaker_who_goes_is_followed_at_once() {
    let mut room = Room::new(4);
    room.run(3_000, &[speak(1), (2, -42.0, true)]);
    assert_eq!(room.speakers.active(), Some(MemberId(1)));
    let next = room.speakers.muted(room.now, MemberId(1));
    assert_eq!(next, Some(Speaker(Some(MemberId(2)))));
    let next = room.speakers.left(room.now, MemberId(2));
    assert_eq!(next, Some(Speaker(None)));
    assert_eq!(room.speakers.left(room.now, MemberId(3)), None);
}

#[test]
fn a_frame_without_a_level_counts_as_silence() {
    let mut room = Room::new(4);
    for _ in 0..500 {
        room.now = room.now.plus(Duration::from_millis(20));
        let heard = room.speakers.heard(room.now, MemberId(1), None);
        assert_eq!((heard.forward, heard.speaker), (true, None));
    }
}
