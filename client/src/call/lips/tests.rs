use visita_media::sound::jitter::plan::{Decision, PACKET_US, Packet, Plan, TICK_US};

use super::*;

const ANA: MemberId = MemberId(1);
const BEN: MemberId = MemberId(2);
/// Ana's clock when the receiver's is 0, so that the two are never taken for each other.
const ORIGIN: u64 = 1_000_000_000;

fn at(ms: u64) -> Now {
    Now(ms * 1_000)
}

fn time(ms: u64) -> MediaTime {
    MediaTime(ORIGIN + ms * 1_000)
}

/// A picture is decoded and looked at: the numbers of those that are put.
fn decoded(lips: &mut Lips<u64>, ms: u64, of: u64, heard: Option<u64>) -> Option<u64> {
    lips.decoded(at(ms), ANA, time(of), 100, of);
    lips.look(at(ms), ANA, heard.map(time))
}

#[test]
fn who_makes_no_sound_is_seen_at_once() {
    let mut lips = Lips::default();
    for ms in 0..100 {
        assert_eq!(decoded(&mut lips, 20 + ms, ms, None), Some(ms));
        assert_eq!(lips.next(), None);
    }
    assert_eq!(lips.offsets(ANA).unwrap().count(), 0);
}

#[test]
fn a_picture_waits_for_its_sound_and_one_that_is_late_for_nothing() {
    let mut lips = Lips::default();
    assert_eq!(decoded(&mut lips, 100, 80, Some(20)), None);
    assert_eq!(decoded(&mut lips, 133, 113, Some(53)), None);
    // 5 ms before its sound, and not before that.
    assert_eq!(lips.next(), Some(at(155)));
    assert!(lips.due(at(154)).is_empty());
    assert_eq!(lips.due(at(155)), [ANA]);
    assert_eq!(lips.look(at(154), ANA, Some(time(74))), None);
    assert_eq!(lips.look(at(155), ANA, Some(time(75))), Some(80));
    assert_eq!(lips.next(), Some(at(188)));
    // When several are due the newest wins.
    assert_eq!(decoded(&mut lips, 190, 146, Some(150)), Some(146));
    assert_eq!(lips.next(), None);
    assert_eq!(decoded(&mut lips, 300, 180, Some(260)), Some(180));
    let offsets = lips.offsets(ANA).unwrap();
    assert_eq!(offsets.count(), 3);
}

#[test]
fn sound_that_is_stretched_meanwhile_is_asked_for_again() {
    let mut lips = Lips::default();
    assert_eq!(decoded(&mut lips, 100, 80, Some(20)), None);
    // The buffer held 30 ms back.
    assert_eq!(lips.look(at(155), ANA, Some(time(45))), None);
    assert_eq!(lips.next(), Some(at(185)));
    assert_eq!(lips.look(at(185), ANA, Some(time(75))), Some(80));
}

#[test]
fn in_a_pause_pictures_keep_the_delay_and_then_wait_for_nothing() {
    let mut lips = Lips::default();
    assert_eq!(decoded(&mut lips, 100, 80, Some(20)), None);
    assert_eq!(lips.look(at(155), ANA, Some(time(75))), Some(80));
    for ms in (200..2_100).step_by(66) {
        assert_eq!(decoded(&mut lips, ms, ms - 20, None), None, "{ms}");
        assert_eq!(lips.look(at(ms + 54), ANA, None), None);
        assert_eq!(lips.look(at(ms + 55), ANA, None), Some(ms - 20));
    }
    assert_eq!(decoded(&mut lips, 2_155, 2_135, None), Some(2_135));
    assert_eq!(
        lips.offsets(ANA).unwrap().count(),
        1,
        "a pause isn't measured"
    );
}

#[test]
fn who_mutes_is_seen_at_once() {
    let mut lips = Lips::default();
    assert_eq!(decoded(&mut lips, 100, 80, Some(20)), None);
    lips.muted(ANA);
    assert_eq!(lips.look(at(101), ANA, None), Some(80));
    assert_eq!(decoded(&mut lips, 133, 113, None), Some(113));
}

#[test]
fn nothing_is_held_for_longer_than_half_a_second() {
    let mut lips = Lips::default();
    // Sound is two seconds behind.
    for ms in (2_000..6_000).step_by(33) {
        let put = decoded(&mut lips, ms, ms, Some(ms - 2_000));
        let early = put.is_none_or(|put| ms - put <= 500);
        assert!(early, "{ms}: {put:?}");
        if ms > 2_500 {
            assert!(put.is_some(), "pictures go on: {ms}");
        }
    }
    let next = lips.next().unwrap();
    assert!(next.since(at(6_000)) <= MAX_HOLD);
}

#[test]
fn few_pictures_are_held_and_large_ones_are_fewer() {
    for (bytes, most) in [(100, MOST), (MOST_BYTES / 4, 4), (2 * MOST_BYTES, 0)] {
        let mut lips = Lips::default();
        let mut put = Vec::new();
        for number in 0..100_u64 {
            lips.decoded(at(number), ANA, time(1_000 + number), bytes, number);
            put.extend(lips.look(at(number), ANA, Some(time(900))));
        }
        assert_eq!(put, (0..100 - most as u64).collect::<Vec<_>>());
    }
}

#[test]
fn a_time_that_jumps_by_hours_holds_nothing_up() {
    let mut lips = Lips::default();
    let hours = 5 * 3_600_000;
    assert_eq!(decoded(&mut lips, 100, 80, Some(60)), None);
    assert_eq!(
        decoded(&mut lips, 133, 113 + hours, Some(93)),
        Some(113 + hours)
    );
    assert_eq!(decoded(&mut lips, 166, 146, Some(126 + hours)), Some(146));
    lips.decoded(at(170), ANA, MediaTime(u64::MAX), 1, 1);
    assert_eq!(lips.look(at(170), ANA, Some(MediaTime(0))), Some(1));
    lips.decoded(at(180), ANA, MediaTime(0), 1, 2);
    assert_eq!(lips.look(at(180), ANA, Some(MediaTime(u64::MAX))), Some(2));
}

#[test]
fn each_waits_for_its_own_sound_and_who_is_gone_for_none() {
    let mut lips = Lips::default();
    assert_eq!(decoded(&mut lips, 100, 80, Some(20)), None);
    lips.decoded(at(110), BEN, MediaTime(5), 100, 7);
    assert_eq!(lips.look(at(110), BEN, None), Some(7));
    lips.forget(ANA);
    assert_eq!(lips.next(), None);
    assert_eq!(lips.look(at(200), ANA, Some(time(120))), None);
}

/// xorshift64*: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

/// A sender's clock at a moment of the receiver's.
fn sender(now: u64, ppm: i64) -> u64 {
    ORIGIN + (now as i128 + now as i128 * i128::from(ppm) / 1_000_000) as u64
}

/// Plays what the real jitter buffer's plan decides, with pieces of 10 ms, into a device that has
/// a clock of its own and plays `output` µs later.
struct Room {
    plan: Plan<()>,
    ahead: u64,
    output: u64,
    stretched: u64,
}

impl Room {
    fn tick(&mut self, now: u64) {
        loop {
            match self.plan.decide(now, self.ahead) {
                Decision::Decode(_) | Decision::Repair(_) | Decision::Conceal => {
                    self.ahead += PACKET_US;
                }
                Decision::Play => {
                    self.ahead -= TICK_US;
                    return;
                }
                Decision::Accelerate => {
                    self.ahead -= 2 * TICK_US;
                    self.stretched += 1;
                    return;
                }
                Decision::Expand => {
                    self.stretched += 1;
                    return;
                }
                Decision::Hold | Decision::Silence | Decision::Nothing => return,
            }
        }
    }

    /// What is heard `since` µs after the last tick.
    fn heard(&self, since: u64) -> Option<MediaTime> {
        let playing = self.plan.playing(self.ahead)?;
        Some(MediaTime(
            (playing + since).saturating_sub(TICK_US + self.output),
        ))
    }
}

/// An hour with clocks that run apart: a flash and a beep are made in the same instant, which is
/// that of every picture, and the two are at most 40 ms apart at the receiver, every time.
#[test]
fn a_flash_and_its_beep_stay_together_for_an_hour_with_clocks_200_ppm_apart() {
    const HOUR_US: u64 = 3_600_000_000;
    const STEP_US: u64 = 1_000;
    for ppm in [200, -200] {
        let mut dice = Dice(0x51_5ee5);
        let mut lips: Lips<u64> = Lips::default();
        let mut room = Room {
            plan: Plan::new(),
            ahead: 0,
            output: 35_000,
            stretched: 0,
        };
        // What is on its way: when it arrives and when it was made, on the sender's clock.
        let (mut sounds, mut pictures) = (VecDeque::new(), VecDeque::new());
        let (mut sequence, mut next_picture) = (0_u32, ORIGIN);
        let (mut last_sound, mut last_picture) = (0, 0);
        let (mut shown, mut worst) = (0_u64, 0_u64);
        let mut ticked = 0;
        for now in (0..HOUR_US).step_by(STEP_US as usize) {
            let theirs = sender(now, ppm);
            while ORIGIN + u64::from(sequence + 1) * PACKET_US <= theirs {
                let made = ORIGIN + u64::from(sequence) * PACKET_US;
                last_sound = last_sound.max(now + 3_000 + dice.below(15_000));
                sounds.push_back((last_sound, sequence, made));
                sequence += 1;
            }
            while next_picture <= theirs {
                last_picture = last_picture.max(now + 8_000 + dice.below(20_000));
                pictures.push_back((last_picture, next_picture));
                next_picture += 33_333;
            }
            while let Some(&(arrival, sequence, time)) = sounds.front()
                && arrival <= now
            {
                sounds.pop_front();
                let packet = Packet {
                    sequence,
                    time,
                    silence: false,
                    payload: (),
                };
                room.plan.packet(packet, arrival);
            }
            if now.is_multiple_of(TICK_US) {
                room.tick(now);
                ticked = now;
            }
            let heard = room.heard(now - ticked);
            let mut put = Vec::new();
            while let Some(&(arrival, time)) = pictures.front()
                && arrival <= now
            {
                pictures.pop_front();
                lips.decoded(Now(now), ANA, MediaTime(time), 345_600, time);
                put.extend(lips.look(Now(now), ANA, heard));
            }
            for member in lips.due(Now(now)) {
                put.extend(lips.look(Now(now), member, heard));
            }
            // The first seconds are the buffer's: it learns how irregularly sound comes.
            for time in put.into_iter().filter(|_| now > 3_000_000) {
                let heard = heard.expect("the sound goes on").0;
                worst = worst.max(heard.abs_diff(time));
                shown += 1;
            }
        }
        assert!(worst <= 40_000, "{ppm} ppm: {worst} µs apart");
        let expected = HOUR_US / 33_333 - 100;
        assert!(
            shown >= expected * 99 / 100,
            "{ppm} ppm: {shown} of {expected} shown"
        );
        // The clocks drift by 720 ms in that hour: without the buffer's stretching it would show.
        assert!(
            room.stretched >= 60,
            "{ppm} ppm: stretched {} times",
            room.stretched
        );
        let offsets = lips.offsets(ANA).unwrap();
        assert!(offsets.at(0.95).unwrap() <= 40_000);
    }
}
