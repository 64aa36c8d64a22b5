//! The figures as Markdown, and how far they are from the aims.

use std::fmt::Write as _;

use visita_protocol::way::Way;
use visita_tests::seen::Late;

use crate::{Carrier, Figures, Outcome};

/// The line that the aims are set for.
pub(crate) const JUDGED: &str = "3 %, 30 ms";
/// How late 95 % of its pictures may be, in milliseconds, and how much of the time may be frozen.
const MOST_LATE_MS: f64 = 100.0;
const MOST_FROZEN: f64 = 1.0;
/// How much worse than the better of the two `auto` may be.
const MOST_WORSE: f64 = 1.1;

fn name(outcome: &Outcome) -> String {
    match outcome.carrier {
        Carrier::Cubic => "`ws`, CUBIC".to_owned(),
        Carrier::Bbr => "`ws`, BBR".to_owned(),
        Carrier::Webrtc | Carrier::Auto => {
            let way = match outcome.way {
                Way::Ws => "WebSocket",
                Way::Webrtc => "UDP",
            };
            let name = outcome.carrier.argument();
            let changes = outcome.changes;
            format!("`{name}` (in the end {way}, {changes} changes)")
        }
    }
}

fn delays(late: Option<Late>) -> String {
    late.map_or_else(
        || "none came".to_owned(),
        |late| format!("{:.0}, {:.0}", late.p50, late.p95),
    )
}

/// A carrier's two rows.
pub(crate) fn rows(outcome: &Outcome) -> String {
    let mut rows = Vec::new();
    for (
        Figures {
            span,
            arrived,
            shown,
        },
        way,
    ) in outcome.both.iter().zip(["down", "up"])
    {
        rows.push(format!(
            "| {} | {} | {way} | {} | {} | {:.2} % | {:.1} | {:.2} % |",
            outcome.line,
            name(outcome),
            delays(*arrived),
            delays(*shown),
            span.frozen(),
            span.rate(),
            span.concealed(),
        ));
    }
    rows.join("\n")
}

/// How late 95 % were in the worse direction; endless if nothing came.
fn p95(outcome: &Outcome) -> f64 {
    let worst = |figures: &Figures| figures.arrived.map_or(f64::INFINITY, |late| late.p95);
    outcome.both.iter().map(worst).fold(0.0, f64::max)
}

fn frozen(outcome: &Outcome) -> f64 {
    let frozen = |figures: &Figures| figures.span.frozen();
    outcome.both.iter().map(frozen).fold(0.0, f64::max)
}

/// A judgement's words, `missed` or not.
fn judged(text: String, kept: bool) -> String {
    if kept {
        text
    } else {
        format!("{text}, **missed**")
    }
}

/// All of it.
pub(crate) fn markdown(outcomes: &[Outcome]) -> String {
    let mut out = String::from(
        "| line | carrier | way | arrived p50, p95 ms | shown p50, p95 ms | frozen | pictures a second | sound concealed |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for outcome in outcomes {
        out += &rows(outcome);
        out.push('\n');
    }
    let of = |line: &str, carrier| {
        let mut found = outcomes.iter();
        found.find(|outcome| outcome.line == line && outcome.carrier == carrier)
    };
    out += "\n| `auto`, the worse direction | p95 ms, arrived | the better of `ws` and `webrtc` | to it (aim ≤ 1.1) | frozen, and the better's |\n\
            | --- | ---: | ---: | ---: | ---: |\n";
    for auto in outcomes
        .iter()
        .filter(|outcome| outcome.carrier == Carrier::Auto)
    {
        let ws = of(auto.line, Carrier::Bbr).or_else(|| of(auto.line, Carrier::Cubic));
        let others = [ws, of(auto.line, Carrier::Webrtc)];
        let others = || others.iter().copied().flatten();
        let better = others().map(p95).fold(f64::INFINITY, f64::min);
        let least = others().map(frozen).fold(f64::INFINITY, f64::min);
        let times = p95(auto) / better;
        let _ = writeln!(
            out,
            "| {} | {:.0} | {better:.0} | {} | {:.2} %, {least:.2} % |",
            auto.line,
            p95(auto),
            judged(format!("{times:.2}"), times <= MOST_WORSE),
            frozen(auto),
        );
    }
    if let Some(auto) = of(JUDGED, Carrier::Auto) {
        let (late, frozen) = (p95(auto), frozen(auto));
        let _ = writeln!(
            out,
            "\nAt {JUDGED}, `auto`: p95 {} (aim ≤ {MOST_LATE_MS:.0} ms), frozen {} (aim < {MOST_FROZEN:.0} %).",
            judged(format!("{late:.0} ms"), late <= MOST_LATE_MS),
            judged(format!("{frozen:.2} %"), frozen < MOST_FROZEN),
        );
    }
    out
}
