//! One who has a slow line, beside three who have a good one: what the three get doesn't change.

use std::time::Duration;

use visita_client::report::Report;
use visita_media::clock;
use visita_protocol::{
    media::{Kind, Size},
    way::Way,
};
use visita_tests::{
    link::Profile,
    program::Running,
    seen::{Late, Span, When, counts, late, latest, row},
    ward::{GUEST, HOST, Ward},
};

use crate::{alone, emulator};

/// How often they report.
const EVERY: Duration = Duration::from_millis(100);
/// What the line of the one carries.
const SLOW: Profile = Profile {
    rate: 200_000,
    loss: 0.0,
    delay_ms: 5,
    jitter_ms: 0,
};
/// How long each part lasts: on a good line, and on the slow one from its first moment.
const GOOD_FOR: Duration = Duration::from_secs(8);
const SLOW_FOR: Duration = Duration::from_secs(14);

/// The three on the host's own machine, the one behind the link, and Luis, whom they see and hear.
const PEOPLE: [(&str, usize); 5] = [
    ("Ben", HOST),
    ("Eva", HOST),
    ("Raúl", HOST),
    ("Ana", GUEST),
    (LUIS, HOST),
];
const LUIS: &str = "Luis";
/// Where in this list who receives is, and the slow one.
const RECEIVERS: usize = 4;
const SLOW_ONE: usize = 3;

struct Room {
    ward: Ward,
    people: [Running; 5],
}

impl Room {
    fn over(carrier: &str) -> Option<Self> {
        let ward = Ward::open(emulator())?;
        let people = PEOPLE.map(|(name, machine)| {
            let mut client = ward.participant(machine, name, EVERY);
            client.args(if name == LUIS {
                ["--video", "synthetic:640x360@30", "--audio", "tone:700"]
            } else {
                ["--video", "none", "--carrier", carrier]
            });
            Running::start(&mut client)
        });
        Some(Self { ward, people })
    }

    /// Waits until everybody sees and hears Luis over what they should.
    fn settle(&self, over: Way) {
        let begin = clock::now().0;
        let comes =
            |report: &Report, kind| row(report, kind).is_some_and(|row| row.frames_decoded > 60);
        let settled = |report: &Report| {
            report.ways.carrier == over
                && [Kind::Audio, Kind::Video]
                    .iter()
                    .all(|kind| comes(report, *kind))
        };
        loop {
            let reports = self.reports();
            if reports[..RECEIVERS].iter().all(settled) {
                return;
            }
            assert!(clock::now().0 - begin < 30_000_000, "{reports:?}");
        }
    }

    fn reports(&self) -> [Report; 5] {
        self.people.each_ref().map(latest)
    }

    /// What everybody gets in so long.
    fn watch(&self, time: Duration) -> Vec<(Span, Report)> {
        let begin = self.reports().map(|report| counts(&report));
        let until = clock::now().0 + time.as_micros() as u64;
        loop {
            let reports = self.reports();
            if clock::now().0 >= until {
                let spans = begin.iter().zip(&reports);
                let spans: Vec<_> = spans.map(|(begin, end)| begin.to(counts(end))).collect();
                return spans.into_iter().zip(reports).collect();
            }
        }
    }
}

/// What one got of Luis in one part.
#[derive(Debug)]
struct Got {
    span: Span,
    late: Late,
    size: Option<Size>,
}

fn size(report: &Report) -> Option<Size> {
    let picture = row(report, Kind::Video)?.picture()?;
    Some(Size::new(picture.width?, picture.height?))
}

/// What the receivers got while all lines were good, and from when one was slow; `None` without
/// networks.
fn measure(carrier: &str, over: Way) -> Option<[Vec<Got>; 2]> {
    let _alone = alone();
    let mut room = Room::over(carrier)?;
    room.settle(over);
    let good = room.watch(GOOD_FOR);
    room.ward.link.profile(SLOW);
    let slow = room.watch(SLOW_FOR);
    let stamps = room.ward.end(room.people);
    let parts = [good, slow].map(|part| {
        let all = part.iter().zip(&stamps).take(RECEIVERS);
        let got = all.map(|((span, report), stamps)| Got {
            span: *span,
            late: late(stamps, *span, When::Arrived).expect("pictures come"),
            size: size(report),
        });
        got.collect::<Vec<_>>()
    });
    for (part, got) in ["all good", "one slow"].iter().zip(&parts) {
        for (number, got) in got.iter().enumerate() {
            println!(
                "{carrier}, {part}, receiver {number}: {:.1} pictures a second, {:.0} kbit/s, \
                 arrived p50 {:.1} p95 {:.1} ms, {:.2} % frozen, {:.2} % of sound concealed, {:?}",
                got.span.rate(),
                got.span.kbit_s(),
                got.late.p50,
                got.late.p95,
                got.span.frozen(),
                got.span.concealed(),
                got.size,
            );
        }
    }
    Some(parts)
}

fn three_are_unchanged(carrier: &str, over: Way) {
    let Some([good, slow]) = measure(carrier, over) else {
        return;
    };
    for (before, after) in good.iter().zip(&slow).take(SLOW_ONE) {
        assert_eq!(before.size, after.size);
        let (was, is) = (before.span.rate(), after.span.rate());
        assert!(is > was * 0.97, "{was} pictures a second, then {is}");
        // A worse picture would be a change too. Its rate is the encoder's, which the scene moves a little.
        let (was, is) = (before.span.kbit_s(), after.span.kbit_s());
        assert!(is > was * 0.8, "{was} kbit/s, then {is}");
        let (was, is) = (before.late, after.late);
        assert!(is.p50 < was.p50 + 5.0, "{was:?}, then {is:?}");
        assert!(is.p95 < was.p95 + 30.0, "{was:?}, then {is:?}");
        let (was, is) = (before.span.frozen(), after.span.frozen());
        assert!(is < was + 1.0, "{was} % frozen, then {is} %");
        let concealed = after.span.concealed();
        assert!(concealed < 1.0, "{concealed} % of sound concealed");
    }
    let (before, after) = (&good[SLOW_ONE], &slow[SLOW_ONE]);
    let (was, is) = (before.span.kbit_s(), after.span.kbit_s());
    assert!(was > 400.0, "its line was good, and {was} kbit/s came");
    assert!(is < 200.0, "its line carries 200 kbit/s, and {is} came");
    let concealed = after.span.concealed();
    assert!(
        concealed < 2.0,
        "{concealed} % of the slow one's sound concealed"
    );
}

#[test]
fn one_at_200_kbit_s_changes_nothing_for_three_over_websockets() {
    three_are_unchanged("ws", Way::Ws);
}

#[test]
fn one_at_200_kbit_s_changes_nothing_for_three_over_udp() {
    three_are_unchanged("webrtc", Way::Webrtc);
}
