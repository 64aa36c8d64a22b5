//! Which way media goes over lines of different kinds, in simulated time.

#![allow(clippy::unnecessary_wraps, clippy::unwrap_used, clippy::expect_used)] // also in what the tests are made of

use std::time::Duration;

use visita_protocol::{
    time::Now,
    way::{Chooser, Order, Policy, Way, Why},
};

/// A ping in so many milliseconds, and a look as often.
const EVERY: u64 = 250;

/// A line: how long answers take in milliseconds at a time in milliseconds, `None` for none; how many
/// of a thousand packets UDP loses, `None` if it carries nothing.
struct Line {
    answer: fn(u64) -> Option<u64>,
    udp: fn(u64) -> Option<u32>,
}

/// A number that looks random, the same each time.
fn chance(at: u64, below: u64) -> u64 {
    let mut x = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5555;
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 32)) % below
}

fn good(at: u64) -> Option<u64> {
    Some(2 + chance(at, 12))
}

/// Jitter, and each sixth answer waits for something that is sent again.
fn lossy(at: u64) -> Option<u64> {
    let jitter = 10 + chance(at, 45);
    Some(if chance(at + 1, 6) == 0 {
        jitter + 60 + chance(at + 2, 150)
    } else {
        jitter
    })
}

/// What was done, each with its second.
fn run(chooser: &mut Chooser, line: &Line, seconds: std::ops::Range<u64>) -> Vec<(u64, Order)> {
    let mut done = Vec::new();
    let mut answers: Vec<(u64, u64)> = Vec::new();
    let mut up_at = None;
    for at in (seconds.start * 1000..seconds.end * 1000).step_by(10) {
        let now = Now(at * 1000);
        if at % EVERY == 0
            && let Some(takes) = (line.answer)(at)
        {
            answers.push((at + takes, takes));
        }
        // As over TCP, none comes before those that went out before.
        while answers.first().is_some_and(|(due, _)| *due <= at) {
            let (_, took) = answers.remove(0);
            chooser.answered(now, Duration::from_millis(took));
        }
        if up_at.is_some_and(|due| due <= at) {
            up_at = None;
            if (line.udp)(at).is_some() {
                assert!(chooser.up(now));
            }
        }
        if chooser.way() == Way::Webrtc
            && let Some(lost) = (line.udp)(at)
        {
            chooser.heard(now);
            if at % 1000 == 0 {
                chooser.lost(now, lost);
            }
        }
        if at % EVERY == 0
            && let Some(order) = chooser.turn(now)
        {
            done.push((at / 1000, order));
            up_at = (order == Order::Try).then_some(at + 150);
        }
    }
    done
}

fn auto() -> Chooser {
    Chooser::new(Policy::Auto)
}

#[test]
fn a_good_line_is_left_alone_and_so_is_one_that_is_merely_far_or_full() {
    let far = |at| Some(180 + chance(at, 30));
    let full = |at| {
        Some(if at < 20_000 {
            10
        } else {
            400 + chance(at, 40)
        })
    };
    for answer in [good, far as fn(u64) -> Option<u64>] {
        let line = Line {
            answer,
            udp: |_| Some(0),
        };
        assert_eq!(run(&mut auto(), &line, 0..3_600), []);
    }
    // What is late all the time becomes what is usual; until then it may be tried once.
    let line = Line {
        answer: full,
        udp: |_| Some(0),
    };
    assert!(run(&mut auto(), &line, 0..3_600).len() <= 2);
}

#[test]
fn a_line_that_loses_leads_to_udp_in_a_few_seconds_and_stays_there() {
    let line = Line {
        answer: lossy,
        udp: |_| Some(30),
    };
    let mut chooser = auto();
    let done = run(&mut chooser, &line, 0..3_600);
    let [(when, Order::Try)] = done[..] else {
        panic!("{done:?}")
    };
    assert!(when <= 15, "{when}");
    assert_eq!(chooser.way(), Way::Webrtc);
}

#[test]
fn an_outage_is_one_stall() {
    // What was sent in the outage of two seconds comes when it is over.
    let answer = |at: u64| {
        let over = 22_000;
        Some(if (20_000..over).contains(&at) {
            over - at + 5
        } else {
            5
        })
    };
    let line = Line {
        answer,
        udp: |_| Some(0),
    };
    assert_eq!(run(&mut auto(), &line, 0..600), []);
}

#[test]
fn where_udp_is_blocked_it_is_tried_ever_more_seldom() {
    let line = Line {
        answer: lossy,
        udp: |_| None,
    };
    for policy in [Policy::Auto, Policy::Webrtc] {
        let mut chooser = Chooser::new(policy);
        let done = run(&mut chooser, &line, 0..3_600);
        let tries = done.iter().filter(|(_, order)| *order == Order::Try);
        let count = tries.count();
        assert!((10..=20).contains(&count), "{count}: {done:?}");
        assert_eq!(chooser.way(), Way::Ws);
    }
}

#[test]
fn udp_that_falls_silent_is_left_at_once_and_an_outage_of_both_is_waited_for() {
    let line = Line {
        answer: lossy,
        udp: |at| (at < 60_000).then_some(30),
    };
    let done = run(&mut auto(), &line, 0..64);
    assert!(
        matches!(
            done[..],
            [(_, Order::Try), (60..=62, Order::Leave(Why::Silent))]
        ),
        "{done:?}"
    );
    let outage = |at: u64| (60_000..63_000).contains(&at);
    let line = Line {
        answer: |at| {
            if (60_000..63_000).contains(&at) {
                Some(63_000 - at + 20)
            } else {
                lossy(at)
            }
        },
        udp: |at| (!(60_000..63_000).contains(&at)).then_some(30),
    };
    assert!(outage(61_000));
    let done = run(&mut auto(), &line, 0..120);
    assert_eq!(done.len(), 1, "{done:?}");
}

#[test]
fn udp_that_is_held_down_while_tcp_is_not_is_left() {
    let line = Line {
        answer: |at| if at < 20_000 { lossy(at) } else { good(at) },
        udp: |at| Some(if at < 30_000 { 0 } else { 300 }),
    };
    let done = run(&mut auto(), &line, 0..60);
    assert!(
        matches!(
            done[..],
            [(_, Order::Try), (33..=36, Order::Leave(Why::Worse))]
        ),
        "{done:?}"
    );
}

#[test]
fn a_line_that_is_good_again_leads_back_and_one_that_comes_and_goes_does_not_flap() {
    let line = Line {
        answer: |at| if at < 60_000 { lossy(at) } else { good(at) },
        udp: |at| Some(if at < 60_000 { 30 } else { 0 }),
    };
    let mut chooser = auto();
    let done = run(&mut chooser, &line, 0..3_600);
    assert!(
        matches!(
            done[..],
            [(_, Order::Try), (85..=125, Order::Leave(Why::Calm))]
        ),
        "{done:?}"
    );
    // Good for forty seconds, poor for twenty, for an hour.
    let poor = |at: u64| at % 60_000 >= 40_000;
    assert!(poor(59_000) && !poor(1_000));
    let line = Line {
        answer: |at| {
            if at % 60_000 >= 40_000 {
                lossy(at)
            } else {
                good(at)
            }
        },
        udp: |at| Some(if at % 60_000 >= 40_000 { 30 } else { 0 }),
    };
    let done = run(&mut auto(), &line, 0..3_600);
    assert!(done.len() <= 8, "{done:?}");
}

#[test]
fn who_wants_one_way_gets_it() {
    let line = Line {
        answer: lossy,
        udp: |_| Some(300),
    };
    assert_eq!(run(&mut Chooser::new(Policy::Ws), &line, 0..600), []);
    let done = run(&mut Chooser::new(Policy::Webrtc), &line, 0..600);
    assert_eq!(done, [(0, Order::Try)]);
}

#[test]
fn after_a_break_of_the_connection_udp_is_tried_again_at_once_if_it_was_in_use() {
    let line = Line {
        answer: lossy,
        udp: |_| Some(30),
    };
    let mut chooser = auto();
    assert_eq!(run(&mut chooser, &line, 0..20).len(), 1);
    chooser.broke();
    assert_eq!(chooser.way(), Way::Ws);
    assert_eq!(run(&mut chooser, &line, 20..40), [(20, Order::Try)]);
    let mut calm = auto();
    calm.broke();
    let line = Line {
        answer: good,
        udp: |_| Some(0),
    };
    assert_eq!(run(&mut calm, &line, 0..20), []);
}
