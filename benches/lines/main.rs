//! What each carrier makes of good and poor lines: two `visita-client`s, one beside the relay and one
//! behind an emulated link between network namespaces, both sending and receiving.
//! `scripts/bench lines` builds and starts it; it needs root, or a namespace in which it is root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Parser;
use visita_client::report::Report;
use visita_media::clock;
use visita_protocol::{media::Kind, way::Way};
use visita_tests::{
    link::Profile,
    program::Running,
    seen::{Late, Span, When, counts, late, latest, row},
    ward::{GOOD, GUEST, HOST, Ward},
};

mod table;

/// Lines and carriers.
#[derive(Parser)]
struct Arguments {
    /// How long each carrier is measured on each line, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How long before that the line is as it is, in seconds: rates settle, `auto` makes up its mind.
    #[arg(long, default_value_t = 10)]
    settle: u64,
    /// Only lines with this in their name.
    #[arg(long)]
    only: Option<String>,
    /// Where the programs are.
    #[arg(long)]
    built: PathBuf,
    /// `cubic.c`, compiled.
    #[arg(long)]
    cubic: PathBuf,
}

/// A line.
struct Line {
    name: &'static str,
    profile: Profile,
    /// Nothing passes for so long, once, a quarter of the time after the beginning.
    outage: Option<Duration>,
}

const fn line(name: &'static str, rate: u64, loss: f64, jitter_ms: u64) -> Line {
    let profile = Profile {
        rate,
        loss,
        jitter_ms,
        ..GOOD
    };
    Line {
        name,
        profile,
        outage: None,
    }
}

const LINES: [Line; 7] = [
    line("clean", 0, 0.0, 0),
    line("1 %, 10 ms", 0, 0.01, 10),
    line(table::JUDGED, 0, 0.03, 30),
    line("5 %, 60 ms", 0, 0.05, 60),
    line("1 Mbit/s", 1_000_000, 0.0, 0),
    line("300 kbit/s", 300_000, 0.0, 0),
    Line {
        outage: Some(Duration::from_secs(2)),
        ..line("clean, 2 s outage", 0, 0.0, 0)
    },
];

/// Over what media goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    /// A WebSocket, as on a kernel without BBR.
    Cubic,
    /// A WebSocket.
    Bbr,
    /// UDP.
    Webrtc,
    /// Either.
    Auto,
}

impl Carrier {
    const ALL: [Self; 4] = [Self::Cubic, Self::Bbr, Self::Webrtc, Self::Auto];

    /// As the client takes it.
    fn argument(self) -> &'static str {
        match self {
            Self::Cubic | Self::Bbr => "ws",
            Self::Webrtc => "webrtc",
            Self::Auto => "auto",
        }
    }

    /// What the connections must have, as `ss` names it; the others have what there is.
    fn congestion(self) -> Option<&'static str> {
        match self {
            Self::Cubic => Some("cubic"),
            Self::Bbr => Some("bbr"),
            Self::Webrtc | Self::Auto => None,
        }
    }
}

/// One direction's figures.
#[derive(Clone, Copy)]
struct Figures {
    span: Span,
    arrived: Option<Late>,
    shown: Option<Late>,
}

/// One carrier's on one line: towards Ana, and from her.
struct Outcome {
    line: &'static str,
    carrier: Carrier,
    both: [Figures; 2],
    /// Over what Ana's media went in the end, and how often that changed on the way.
    way: Way,
    changes: u32,
}

/// How often participants report.
const EVERY: Duration = Duration::from_millis(50);
const LUIS: &str = "tone:700";
const ANA: &str = "tone:440";
const VIDEO: &str = "synthetic:640x360@30";
/// A call that doesn't begin within this never does.
const PATIENCE: Duration = Duration::from_secs(20);

/// The two who visit, and where.
struct Visit {
    ward: Ward,
    /// Ana, then Luis.
    both: [Running; 2],
}

impl Visit {
    fn begin(arguments: &Arguments, carrier: Carrier) -> Self {
        let preload = (carrier == Carrier::Cubic).then_some(&arguments.cubic);
        let emulator = arguments.built.join("emulated-link");
        let ward = Ward::open_as(&emulator, |relay| {
            relay.envs(preload.map(|path| ("LD_PRELOAD", path)));
        });
        let ward = ward.expect("networks can be made");
        let people = [(GUEST, "Ana", ANA), (HOST, "Luis", LUIS)];
        let both = people.map(|(machine, name, tone)| {
            let mut client = ward.participant(machine, name, EVERY);
            client.envs(preload.map(|path| ("LD_PRELOAD", path)));
            client.args(["--video", VIDEO, "--audio", tone]);
            if machine == GUEST {
                client.args(["--carrier", carrier.argument()]);
            }
            Running::start(&mut client)
        });
        let visit = Self { ward, both };
        visit.settle();
        visit
    }

    /// Until both see and hear each other.
    fn settle(&self) {
        let begin = clock::now().0;
        let comes =
            |report: &Report, kind| row(report, kind).is_some_and(|row| row.frames_decoded > 30);
        loop {
            let reports = self.both.each_ref().map(latest);
            let settled = |report| comes(report, Kind::Video) && comes(report, Kind::Audio);
            if reports.iter().all(settled) {
                return;
            }
            let waited = Duration::from_micros(clock::now().0 - begin);
            assert!(waited < PATIENCE, "the call doesn't begin: {reports:?}");
        }
    }

    /// Whether all connections of the host's machine have this congestion control.
    fn has(&self, congestion: &str) -> bool {
        let mut ss = self.ward.link.on(HOST, Path::new("ss"));
        let output = ss.args(["-tinH", "state", "established"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // One line for each has the figures, after a line with the addresses.
        let figures: Vec<_> = text.lines().filter(|line| line.contains("rtt:")).collect();
        assert!(!figures.is_empty(), "there are no connections: {text}");
        let has = |line: &&str| line.split_whitespace().any(|word| word == congestion);
        figures.iter().all(has)
    }

    /// Reads reports for so long; gives the last.
    fn watch(&self, time: Duration) -> [Report; 2] {
        let until = clock::now().0 + time.as_micros() as u64;
        loop {
            let reports = self.both.each_ref().map(latest);
            if clock::now().0 >= until {
                return reports;
            }
        }
    }
}

/// One carrier on one line; `None` where the kernel lacks what it needs.
fn measure(arguments: &Arguments, line: &Line, carrier: Carrier) -> Option<Outcome> {
    let mut visit = Visit::begin(arguments, carrier);
    match carrier.congestion() {
        Some(congestion) if !visit.has(congestion) => {
            assert_eq!(carrier, Carrier::Bbr, "the programs don't use {congestion}");
            visit.ward.end(visit.both);
            return None;
        }
        _ => {}
    }
    visit.ward.link.profile(line.profile);
    let [before, _] = visit.watch(Duration::from_secs(arguments.settle));
    let begin = visit.watch(EVERY).map(|report| counts(&report));
    let time = Duration::from_secs(arguments.seconds);
    let end = match line.outage {
        None => visit.watch(time),
        Some(outage) => {
            visit.watch(time / 4);
            visit.ward.link.gap(outage);
            visit.watch(time / 4 * 3)
        }
    };
    let ways = end[0].ways;
    let ends = end.map(|report| counts(&report));
    let stamps = visit.ward.end(visit.both);
    let both = [0, 1].map(|who| {
        let span = begin[who].to(ends[who]);
        Figures {
            span,
            arrived: late(&stamps[who], span, When::Arrived),
            shown: late(&stamps[who], span, When::Shown),
        }
    });
    Some(Outcome {
        line: line.name,
        carrier,
        both,
        way: ways.carrier,
        changes: ways.carrier_changes - before.ways.carrier_changes,
    })
}

fn main() {
    let arguments = Arguments::parse();
    let wanted = |line: &&Line| {
        let only = arguments.only.as_deref();
        only.is_none_or(|part| line.name.contains(part))
    };
    let mut outcomes = Vec::new();
    for line in LINES.iter().filter(wanted) {
        for carrier in Carrier::ALL {
            match measure(&arguments, line, carrier) {
                Some(outcome) => {
                    eprintln!("{}", table::rows(&outcome));
                    outcomes.push(outcome);
                }
                None => eprintln!("{}, {carrier:?}: this kernel has no BBR", line.name),
            }
        }
    }
    print!("{}", table::markdown(&outcomes));
}
