use proptest::{collection::vec, prelude::*};

use super::*;

const SECOND: u64 = 1_000_000;

fn packet(sequence: u32, time: u64, silence: bool) -> Packet<()> {
    Packet {
        sequence,
        time,
        silence,
        payload: (),
    }
}

/// Somebody who plays what the plan says, with pieces of exactly 10 ms.
#[derive(Default)]
struct Player {
    plan: Plan<()>,
    now: u64,
    ahead: u64,
    played: Vec<Decision<()>>,
}

impl Player {
    fn packet(&mut self, sequence: u32, time: u64, silence: bool) -> Kept {
        let packet = packet(sequence, time, silence);
        self.plan.packet(packet, self.now)
    }

    fn copy(&mut self, sequence: u32) {
        let packet = packet(sequence, u64::from(sequence) * PACKET_US, false);
        self.plan.copy(packet, self.now);
    }

    /// Ten milliseconds; answers the decision that ended them.
    fn tick(&mut self) -> Decision<()> {
        self.now += TICK_US;
        for _ in 0..10 {
            let decision = self.plan.decide(self.now, self.ahead);
            self.played.push(decision.clone());
            match decision {
                Decision::Decode(_) | Decision::Repair(_) | Decision::Conceal => {
                    self.ahead += PACKET_US;
                    continue;
                }
                Decision::Play => self.ahead -= TICK_US,
                Decision::Accelerate => self.ahead -= 2 * TICK_US,
                Decision::Expand | Decision::Hold | Decision::Silence => {}
                Decision::Nothing => self.ahead = self.ahead.saturating_sub(TICK_US),
            }
            return decision;
        }
        panic!("it is asked forever");
    }

    /// So many packets, one each 20 ms from this number and time on.
    fn talk(&mut self, first: u32, count: u32, time: u64) {
        for number in 0..count {
            self.packet(first + number, time + u64::from(number) * PACKET_US, false);
            self.tick();
            self.tick();
        }
    }

    fn late(&self) -> i64 {
        self.plan.late(self.now, self.ahead)
    }
}

#[test]
fn a_clean_line_is_played_as_it_comes() {
    let mut player = Player::default();
    player.talk(0, 500, 77 * SECOND);
    player.played.drain(..200);
    assert!(player.played.iter().all(|decision| matches!(
        decision,
        Decision::Decode(_) | Decision::Play | Decision::Accelerate
    )));
    assert_eq!(player.plan.counts(), Counts::default());
    assert!((0..=40_000).contains(&player.late()), "{}", player.late());
}

#[test]
fn one_lost_packet_is_repaired_by_the_next() {
    let mut player = Player::default();
    player.talk(0, 100, 0);
    player.talk(101, 100, 101 * PACKET_US);
    // The gap in arrival is covered by what was buffered or held; what is missing is made good once.
    let counts = player.plan.counts();
    assert_eq!(counts.late + counts.left_out + counts.double, 0);
    assert!(
        counts.repaired_us + counts.concealed_us >= PACKET_US,
        "{counts:?}"
    );
    assert!(counts.concealed_us <= 2 * PACKET_US, "{counts:?}");
}

#[test]
fn a_packet_lost_among_others_is_repaired() {
    let mut player = Player::default();
    for number in 0..1000_u32 {
        if number % 20 != 10 {
            player.packet(number, u64::from(number) * PACKET_US, false);
        }
        // Each comes two packets' time before it is needed.
        if number >= 2 {
            player.tick();
            player.tick();
        }
    }
    let counts = player.plan.counts();
    assert!(counts.repaired_us > 20 * PACKET_US, "{counts:?}");
    assert!(counts.concealed_us < 30 * PACKET_US, "{counts:?}");
}

/// A second of packets that each repeat so many before them, and of which those that `lost` says
/// don't come.
fn talk_with_copies(player: &mut Player, count: u32, copies: u32, lost: impl Fn(u32) -> bool) {
    for number in 0..count {
        if !lost(number) {
            for copy in number.saturating_sub(copies)..number {
                player.copy(copy);
            }
            let kept = player.packet(number, u64::from(number) * PACKET_US, false);
            assert_eq!(kept, Kept::Waits);
        }
        player.tick();
        player.tick();
    }
}

#[test]
fn copies_of_what_came_cost_nothing() {
    let (mut plain, mut repeating) = (Player::default(), Player::default());
    talk_with_copies(&mut plain, 500, 0, |_| false);
    talk_with_copies(&mut repeating, 500, 2, |_| false);
    assert_eq!(plain.played, repeating.played);
    assert_eq!(repeating.plan.counts(), Counts::default());
    assert_eq!(plain.plan.target(), repeating.plan.target());
}

#[test]
fn what_is_lost_is_played_out_of_the_copies() {
    for copies in [1, 2] {
        let mut player = Player::default();
        let burst = move |number: u32| number % 20 >= 20 - copies && number > 100;
        talk_with_copies(&mut player, 2_000, copies, burst);
        let counts = player.plan.counts();
        // The first holes come before it is known how long copies must be waited for.
        assert!(counts.copied >= u64::from(copies) * 92, "{counts:?}");
        assert!(counts.concealed_us <= 4 * PACKET_US, "{counts:?}");
        assert_eq!(counts.repaired_us + counts.late + counts.double, 0);
        let waits = u64::from(copies) * PACKET_US + TICK_US;
        assert_eq!(player.plan.target(), waits);
    }
}

#[test]
fn what_comes_after_its_copy_is_neither_late_nor_double() {
    let mut player = Player::default();
    talk_with_copies(&mut player, 200, 0, |_| false);
    let time = |number: u32| u64::from(number) * PACKET_US;
    for number in (200..400).step_by(2) {
        // The second of two overtakes the first one, which comes while its copy waits or was played.
        player.copy(number);
        assert_eq!(
            player.packet(number + 1, time(number + 1), false),
            Kept::Waits
        );
        for _ in 0..number % 8 {
            player.tick();
        }
        assert_eq!(player.packet(number, time(number), false), Kept::Copied);
        for _ in number % 8..4 {
            player.tick();
        }
    }
    let counts = player.plan.counts();
    assert_eq!((counts.copied, counts.late, counts.double), (100, 0, 0));
}

#[test]
fn nothing_from_before_the_first_packet_is_waited_for() {
    let mut player = Player::default();
    for number in 500..520 {
        player.copy(number - 2);
        player.copy(number - 1);
        player.packet(number, u64::from(number) * PACKET_US, false);
        player.tick();
        player.tick();
    }
    assert_eq!(player.plan.counts(), Counts::default());
    let first = player.played.iter().find_map(|decision| match decision {
        Decision::Decode(packet) => Some(packet.sequence),
        _ => None,
    });
    assert_eq!(first, Some(500));
}

#[test]
fn a_sender_that_pauses_is_not_missed() {
    let mut player = Player::default();
    player.talk(0, 200, 0);
    for _ in 0..1000 {
        player.tick();
    }
    assert_eq!(player.tick(), Decision::Nothing);
    assert_eq!(player.plan.playing(0), None);
    player.talk(200, 200, 200 * PACKET_US + 10 * SECOND + TICK_US);
    assert_eq!(player.plan.counts(), Counts::default(), "nothing was lost");
    assert!((0..=60_000).contains(&player.late()), "{}", player.late());
}

#[test]
fn what_was_held_up_counts_once_it_has_come() {
    let mut player = Player::default();
    player.talk(0, 200, 0);
    for _ in 0..30 {
        player.tick();
    }
    for number in 200..215 {
        player.packet(number, u64::from(number) * PACKET_US, false);
    }
    let behind = player.late();
    assert!(behind >= 250_000, "{behind}");
    player.talk(215, 150, 215 * PACKET_US);
    let concealed = player.plan.counts().concealed_us;
    assert!((200_000..=300_000).contains(&concealed), "{concealed}");
    assert!(player.late() < 80_000, "caught up: {}", player.late());
}

#[test]
fn silence_costs_nothing_and_ends_in_time() {
    let mut player = Player::default();
    let mut sequence = 0;
    for number in 0..1000_u64 {
        // A second of speech, a second of silence, of which every 20th packet is sent.
        let (second, within) = (number / 50, number % 50);
        let speaks = second % 2 == 0;
        if speaks || within == 0 || within % 20 == 19 || within % 20 == 0 {
            let marks = !speaks && within % 20 == 0;
            player.packet(sequence, number * PACKET_US, marks);
            sequence += 1;
        }
        player.tick();
        player.tick();
    }
    let counts = player.plan.counts();
    assert_eq!(counts, Counts::default());
    assert!(
        player
            .played
            .iter()
            .filter(|&d| *d == Decision::Silence)
            .count()
            > 500
    );
    assert!(!player.played.contains(&Decision::Hold));
}

#[test]
fn a_clock_that_jumps_by_hours_begins_anew() {
    let mut player = Player::default();
    player.talk(0, 200, 0);
    player.talk(200, 200, 5 * 3600 * SECOND);
    player.talk(400, 200, 7);
    let counts = player.plan.counts();
    assert_eq!(counts.jumps, 2);
    assert!(counts.left_out <= 10, "{counts:?}");
    assert!((0..=60_000).contains(&player.late()), "{}", player.late());
}

#[test]
fn a_thousand_packets_a_second_are_bounded() {
    let mut player = Player::default();
    for number in 0..20_000_u32 {
        player.packet(number, u64::from(number) * PACKET_US, false);
        if number % 10 == 9 {
            player.tick();
        }
        assert!(player.plan.packets.len() <= MOST_WAITING);
    }
    let decoded = player
        .played
        .iter()
        .filter(|decision| matches!(decision, Decision::Decode(_)))
        .count();
    assert!(decoded <= 4_000, "{decoded} decoded in 2,000 ticks");
}

proptest! {
    /// Whatever comes, every tick ends, what waits is bounded, and nothing overflows.
    #[test]
    fn anything_may_come(
        packets in vec((any::<u32>(), any::<u64>(), any::<bool>(), 0..5_u8), 0..300),
        near in any::<bool>(),
    ) {
        let mut player = Player::default();
        for (at, (sequence, time, silence, ticks)) in packets.into_iter().enumerate() {
            let (sequence, time) = if near {
                (at as u32 + sequence % 8, at as u64 * PACKET_US + time % 200_000)
            } else {
                (sequence, time)
            };
            if silence {
                player.plan.copy(packet(sequence.wrapping_sub(1), time.wrapping_sub(PACKET_US), false), player.now);
            }
            player.packet(sequence, time, silence);
            for _ in 0..ticks {
                player.tick();
            }
            prop_assert!(player.ahead <= 3 * PACKET_US + ACCELERATE_NEEDS_US);
            prop_assert!(player.plan.packets.len() <= MOST_WAITING);
        }
    }
}
