//! Arrivals of packets, played by the plan of the jitter buffer: the page's twin plays the same
//! files (`media/tests/traces`), and must decide the same and keep the same bounds.
//!
//! `VISITA_TRACES=write cargo test -p visita-media --test sound_traces` makes the files anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use visita_media::sound::jitter::plan::{Decision, PACKET_US, Packet, Plan, TICK_US};

/// A trace. Packet `i` (from 0) is captured at `TIME + i * 20 ms` and arrives at
/// `ARRIVAL + i * 20 ms + trunc(i * drift_ppm / 50) + delays_us[i % length]`; a delay of −1 = lost.
#[derive(Debug, Serialize, Deserialize)]
struct Trace {
    about: String,
    packets: u64,
    drift_ppm: i64,
    /// From this packet on, times are so many microseconds further.
    jumps: Vec<(u64, i64)>,
    /// Packets `from..to` aren't sent and have no number; the one before says that silence begins,
    /// and so do as many before that as are repeated.
    silences: Vec<(u64, u64)>,
    /// So many packets before it are repeated with each, where they follow each other.
    #[serde(default, skip_serializing_if = "is_zero")]
    copies: u64,
    delays_us: Vec<i64>,
    bounds: Bounds,
    /// What the plan decides, exactly.
    #[serde(default)]
    expect: Expect,
}

#[derive(Debug, Serialize, Deserialize)]
struct Bounds {
    /// 95 % of the sound is played at most so much later than the fastest packet could be.
    late_p95_us: i64,
    /// The most that is made up, in 1/1000 of what is played.
    concealed_permille: u64,
    /// Three seconds after this packet arrived, everything is played at most so late.
    #[serde(default)]
    back: Option<Back>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Back {
    packet: u64,
    late_us: i64,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Expect {
    /// How often it decided what.
    decisions: BTreeMap<String, u64>,
    late_p50_us: i64,
    late_p95_us: i64,
    late_max_us: i64,
    concealed_us: u64,
    repaired_us: u64,
    left_out: u64,
    late_packets: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    copied: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(count: &u64) -> bool {
    *count == 0
}

const TIME: u64 = 1_000_000_000;
const ARRIVAL: u64 = 5_000_000_000;
const BACK_US: u64 = 3_000_000;

struct Coming {
    index: u64,
    arrival: u64,
    /// What it repeats, oldest first.
    copies: Vec<Packet<()>>,
    packet: Packet<()>,
}

fn coming(trace: &Trace) -> Vec<Coming> {
    let mut coming = Vec::new();
    let (mut sequence, mut jumped) = (0_u32, 0_i64);
    let mut sent: Vec<(u64, Packet<()>)> = Vec::new();
    for index in 0..trace.packets {
        for &(at, by) in &trace.jumps {
            if at == index {
                jumped += by;
            }
        }
        let silent = |&(from, to): &(u64, u64)| (from..to).contains(&index);
        let says = |&(from, _): &(u64, u64)| (index + 1..=index + 1 + trace.copies).contains(&from);
        if trace.silences.iter().any(silent) {
            continue;
        }
        let number = sequence;
        sequence += 1;
        let packet = Packet {
            sequence: number,
            time: (TIME as i64 + (index * PACKET_US) as i64 + jumped) as u64,
            silence: trace.silences.iter().any(says),
            payload: (),
        };
        let from = sent.len().saturating_sub(trace.copies as usize);
        let follow = sent[from..].iter();
        let follow = follow.filter(|(before, _)| index - before <= trace.copies);
        let copies = follow.map(|(_, packet)| packet.clone()).collect();
        sent.push((index, packet.clone()));
        let delay = trace.delays_us[(index % trace.delays_us.len() as u64) as usize];
        if delay < 0 {
            continue;
        }
        let drift = index as i64 * trace.drift_ppm / 50;
        coming.push(Coming {
            index,
            arrival: (ARRIVAL as i64 + (index * PACKET_US) as i64 + drift + delay) as u64,
            copies,
            packet,
        });
    }
    coming.sort_by_key(|coming| (coming.arrival, coming.index));
    coming
}

/// Plays a trace with pieces of exactly 10 ms; answers what was decided and how late it was.
fn play(trace: &Trace) -> (Expect, Vec<(u64, i64)>) {
    let coming = coming(trace);
    let end = coming.last().map_or(0, |last| last.arrival) + 500_000;
    let mut coming = coming.into_iter().peekable();
    let mut plan = Plan::new();
    let (mut now, mut ahead) = (ARRIVAL, 0_u64);
    let mut expect = Expect::default();
    let mut lates = Vec::new();
    while now < end {
        now += TICK_US;
        while let Some(next) = coming.next_if(|next| next.arrival <= now) {
            for copy in next.copies {
                plan.copy(copy, next.arrival);
            }
            plan.packet(next.packet, next.arrival);
        }
        loop {
            let decision = plan.decide(now, ahead);
            let (name, more) = match decision {
                Decision::Decode(_) => ("decode", Some(PACKET_US)),
                Decision::Repair(_) => ("repair", Some(PACKET_US)),
                Decision::Conceal => ("conceal", Some(PACKET_US)),
                Decision::Play => ("play", None),
                Decision::Accelerate => ("accelerate", None),
                Decision::Expand => ("expand", None),
                Decision::Hold => ("hold", None),
                Decision::Silence => ("silence", None),
                Decision::Nothing => ("nothing", None),
            };
            *expect.decisions.entry(name.into()).or_default() += 1;
            if let Some(more) = more {
                ahead += more;
                continue;
            }
            let taken = match name {
                "play" => TICK_US,
                "accelerate" => 2 * TICK_US,
                "nothing" => ahead.min(TICK_US),
                _ => 0,
            };
            if matches!(name, "play" | "accelerate" | "expand") {
                lates.push((now, plan.late(now, ahead)));
            }
            ahead = ahead.checked_sub(taken).expect("what lies ready is known");
            break;
        }
    }
    let mut sorted: Vec<i64> = lates.iter().map(|&(_, late)| late).collect();
    sorted.sort_unstable();
    let at = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1];
    let counts = plan.counts();
    expect.late_p50_us = at(50);
    expect.late_p95_us = at(95);
    expect.late_max_us = at(100);
    expect.concealed_us = counts.concealed_us;
    expect.repaired_us = counts.repaired_us;
    expect.left_out = counts.left_out;
    expect.late_packets = counts.late;
    expect.copied = counts.copied;
    (expect, lates)
}

fn check(name: &str, trace: &Trace, expect: &Expect, lates: &[(u64, i64)]) {
    let bounds = &trace.bounds;
    assert!(
        expect.late_p95_us <= bounds.late_p95_us,
        "{name}: p95 {} µs late",
        expect.late_p95_us
    );
    let played = lates.len() as u64 * TICK_US;
    let permille = expect.concealed_us * 1000 / played;
    assert!(
        permille <= bounds.concealed_permille,
        "{name}: {permille} ‰ concealed"
    );
    let Some(back) = &bounds.back else { return };
    let arrived = coming(trace)
        .iter()
        .find(|coming| coming.index == back.packet)
        .map(|coming| coming.arrival)
        .expect("the packet comes");
    let after = lates.iter().filter(|(now, _)| *now >= arrived + BACK_US);
    let worst = after.map(|&(_, late)| late).max().expect("it goes on");
    assert!(worst <= back.late_us, "{name}: still {worst} µs late");
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/traces")
}

#[test]
fn every_trace_is_decided_as_written_and_kept_within_its_bounds() {
    if std::env::var("VISITA_TRACES").is_ok_and(|what| what == "write") {
        write();
    }
    let mut seen = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let trace: Trace = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let (decided, lates) = play(&trace);
        println!("{name}: {decided:?}");
        check(&name, &trace, &decided, &lates);
        assert_eq!(decided, trace.expect, "{name}");
        seen += 1;
    }
    assert_eq!(seen, made().len());
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

/// As a wired line or a good Wi-Fi has it: up to 3 ms.
fn calm(dice: &mut Dice) -> i64 {
    1_000 + dice.below(3_000) as i64
}

/// What TCP does at 5 % loss and 30 ms of jitter: a lost segment comes 60 to 260 ms later, and
/// those behind it wait for it.
fn tcp(dice: &mut Dice, packets: u64) -> Vec<i64> {
    let mut last = 0;
    (0..packets as i64)
        .map(|index| {
            let sent = index * PACKET_US as i64;
            let lost = dice.below(20) == 0;
            let again = if lost {
                60_000 + dice.below(200_000) as i64
            } else {
                0
            };
            let own = sent + 10_000 + dice.below(30_000) as i64 + again;
            last = own.max(last);
            last - sent
        })
        .collect()
}

/// So many of a hundred lost, in bursts of so many on average, and up to 30 ms of jitter.
fn lossy(dice: &mut Dice, packets: u64, percent: u64, burst: u64) -> Vec<i64> {
    let mut loses = false;
    (0..packets)
        .map(|_| {
            // Of so many thousand.
            let chance = if loses {
                1000 - 1000 / burst
            } else {
                10 * percent * 100 / (burst * (100 - percent))
            };
            loses = dice.below(1000) < chance;
            let delay = dice.below(30_000) as i64;
            if loses { -1 } else { delay }
        })
        .collect()
}

fn with_gap(mut delays: Vec<i64>, at: usize, packets: usize) -> Vec<i64> {
    for number in 0..packets {
        delays[at + number] += ((packets - number) as u64 * PACKET_US) as i64;
    }
    delays
}

fn made() -> Vec<(&'static str, Trace)> {
    let mut dice = Dice(0x5eed);
    let mut calm_for = |packets: u64| (0..packets).map(|_| calm(&mut dice)).collect::<Vec<_>>();
    let trace = |about: &str, packets, delays_us, late_p95_us, concealed_permille| Trace {
        about: about.into(),
        packets,
        drift_ppm: 0,
        jumps: Vec::new(),
        silences: Vec::new(),
        copies: 0,
        delays_us,
        bounds: Bounds {
            late_p95_us,
            concealed_permille,
            back: None,
        },
        expect: Expect::default(),
    };
    let calm_500 = calm_for(500);
    let drift = |about: &str, drift_ppm| Trace {
        drift_ppm,
        ..trace(about, 180_000, calm_500.clone(), 35_000, 0)
    };
    let mut dice = Dice(0xd1ce);
    let udp = (0..3000)
        .map(|_| match dice.below(20) {
            0 => -1,
            _ => dice.below(30_000) as i64,
        })
        .collect();
    let gap = Trace {
        bounds: Bounds {
            late_p95_us: 45_000,
            concealed_permille: 6,
            back: Some(Back {
                packet: 1514,
                late_us: 45_000,
            }),
        },
        ..trace(
            "nothing for 300 ms in a calm minute, and then all at once",
            3000,
            with_gap(calm_for(3000), 1500, 15),
            0,
            0,
        )
    };
    let early_gap = Trace {
        bounds: Bounds {
            late_p95_us: 85_000,
            concealed_permille: 15,
            back: Some(Back {
                packet: 214,
                late_us: 60_000,
            }),
        },
        ..trace(
            "nothing for 300 ms four seconds after the beginning",
            1000,
            with_gap(calm_for(1000), 200, 15),
            0,
            0,
        )
    };
    let jump = Trace {
        jumps: vec![(500, 3 * 3_600_000_000), (1000, -2 * 3_600_000_000)],
        ..trace(
            "the sender's clock jumps by hours, forwards and back",
            1500,
            calm_for(1500),
            60_000,
            0,
        )
    };
    let talk = Trace {
        silences: (0..20)
            .flat_map(|turn| {
                let begin = 100 + turn * 150;
                // The decoder's noise is refreshed every 400 ms, and silence said again.
                [
                    (begin, begin + 19),
                    (begin + 21, begin + 39),
                    (begin + 41, begin + 59),
                ]
            })
            .collect(),
        ..trace(
            "somebody who speaks for 1.8 s and is silent for 1.2 s, sending next to nothing",
            3200,
            calm_for(3200),
            35_000,
            0,
        )
    };
    let mut slower = calm_for(1500);
    for delay in &mut slower[700..] {
        *delay += 150_000;
    }
    let longer_way = Trace {
        bounds: Bounds {
            late_p95_us: 165_000,
            concealed_permille: 6,
            back: Some(Back {
                packet: 720,
                late_us: 60_000,
            }),
        },
        ..trace("the way becomes 150 ms longer", 1500, slower, 0, 0)
    };
    let lossy = |seed, percent, burst| lossy(&mut Dice(seed), 3000, percent, burst);
    let repeated = |about: &str, copies, delays_us, concealed_permille| Trace {
        copies,
        ..trace(about, 3000, delays_us, 85_000, concealed_permille)
    };
    let talk_and_loss = Trace {
        copies: 2,
        delays_us: lossy(0x7a1c, 10, 2),
        bounds: Bounds {
            late_p95_us: 85_000,
            concealed_permille: 30,
            back: None,
        },
        about: "speech and silence with 10 % lost and two packets repeated in each".into(),
        silences: (0..20)
            .flat_map(|turn| {
                let begin = 100 + turn * 150;
                [
                    (begin + 2, begin + 19),
                    (begin + 23, begin + 39),
                    (begin + 43, begin + 59),
                ]
            })
            .collect(),
        ..trace("", 3200, Vec::new(), 0, 0)
    };
    let bursts = tcp(&mut Dice(0x7c9), 6000);
    vec![
        (
            "clean",
            trace("a calm line", 3000, calm_for(3000), 35_000, 0),
        ),
        (
            "loss-5-jitter-30",
            trace(
                "5 % lost and up to 30 ms of jitter, as a datagram carrier has it",
                3000,
                udp,
                65_000,
                6,
            ),
        ),
        (
            "tcp-loss-5-jitter-30",
            trace(
                "5 % lost and 30 ms of jitter under TCP: nothing is lost, all behind it waits",
                6000,
                bursts,
                300_000,
                5,
            ),
        ),
        ("gap-300", gap),
        ("gap-300-early", early_gap),
        (
            "drift-plus-200",
            drift(
                "an hour with a receiver's clock that runs 200 ppm fast",
                200,
            ),
        ),
        (
            "drift-minus-200",
            drift(
                "an hour with a receiver's clock that runs 200 ppm slow",
                -200,
            ),
        ),
        ("clock-jumps", jump),
        ("talk-and-silence", talk),
        ("longer-way", longer_way),
        (
            "loss-10-copies-1",
            repeated(
                "10 % lost and up to 30 ms of jitter, with one packet repeated in each",
                1,
                lossy(0x1055, 10, 1),
                2,
            ),
        ),
        (
            "bursts-10-copies-2",
            repeated(
                "10 % lost in bursts of two on average, with two packets repeated in each",
                2,
                lossy(0xb5e7, 10, 2),
                32,
            ),
        ),
        ("talk-loss-10-copies-2", talk_and_loss),
    ]
}

fn write() {
    fs::create_dir_all(folder()).unwrap();
    for (name, mut trace) in made() {
        trace.expect = play(&trace).0;
        let json = serde_json::to_string(&trace).unwrap();
        fs::write(folder().join(format!("{name}.json")), json + "\n").unwrap();
    }
}
