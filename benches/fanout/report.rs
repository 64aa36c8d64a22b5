//! The runs as Markdown: medians, and between which figures they lay.

use std::fmt::Write as _;

use crate::{
    load::{Outcome, Scenario},
    server::Kind,
};

/// One run of one server in one scenario.
pub(crate) struct Run {
    pub(crate) kind: Kind,
    pub(crate) scenario: Scenario,
    pub(crate) outcome: Outcome,
}

/// The least, the median and the most of what `value` says of the runs.
fn spread(runs: &[&Run], value: impl Fn(&Outcome) -> f64) -> Option<(f64, f64, f64)> {
    let mut values: Vec<f64> = runs.iter().map(|run| value(&run.outcome)).collect();
    values.sort_by(f64::total_cmp);
    Some((
        *values.first()?,
        *values.get(values.len() / 2)?,
        *values.last()?,
    ))
}

fn of(runs: &[Run], kind: Kind, scenario: Scenario) -> Vec<&Run> {
    runs.iter()
        .filter(|run| run.kind == kind && run.scenario == scenario)
        .collect()
}

fn median(runs: &[Run], kind: Kind, scenario: Scenario, value: fn(&Outcome) -> f64) -> f64 {
    spread(&of(runs, kind, scenario), value).map_or(f64::NAN, |(_, median, _)| median)
}

/// A figure with as many digits as it deserves.
fn figure(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

type Cell<'a> = &'a dyn Fn(&[&Run]) -> String;

fn table(runs: &[Run], scenarios: &[Scenario], title: &str, cell: Cell<'_>) -> String {
    let mut out = format!("| {title} |");
    for scenario in scenarios {
        let _ = write!(out, " {} |", scenario.name());
    }
    let _ = write!(out, "\n| --- |{}\n", " --- |".repeat(scenarios.len()));
    for kind in Kind::ALL {
        let rows: Vec<_> = scenarios
            .iter()
            .map(|&scenario| of(runs, kind, scenario))
            .collect();
        if rows.iter().all(Vec::is_empty) {
            continue;
        }
        let _ = write!(out, "| {} |", kind.name());
        for row in rows {
            let _ = write!(
                out,
                " {} |",
                if row.is_empty() {
                    "–".to_owned()
                } else {
                    cell(&row)
                }
            );
        }
        out.push('\n');
    }
    out
}

/// The whole report.
pub(crate) fn markdown(runs: &[Run], scenarios: &[Scenario]) -> String {
    let with_spread = |value: fn(&Outcome) -> f64| {
        move |row: &[&Run]| {
            spread(row, value).map_or_else(String::new, |(least, median, most)| {
                format!(
                    "**{}** ({}–{})",
                    figure(median),
                    figure(least),
                    figure(most)
                )
            })
        }
    };
    let delays = |row: &[&Run]| {
        let part = |value: fn(&Outcome) -> f64| spread(row, value).map_or(f64::NAN, |s| s.1);
        let lost = spread(row, |o| o.lost).map_or(0.0, |s| s.1);
        let mut text = format!(
            "{} / {} / {}",
            figure(part(|o| o.p50_ms)),
            figure(part(|o| o.p95_ms)),
            figure(part(|o| o.p99_ms))
        );
        if lost > 0.0005 {
            let _ = write!(text, ", {:.1} % lost", lost * 100.0);
        }
        text
    };
    let mut out = table(
        runs,
        scenarios,
        "CPU µs for each forwarded frame: median (least–most)",
        &with_spread(|outcome| outcome.cpu_us),
    );
    out.push('\n');
    out += &table(
        runs,
        scenarios,
        "delay ms: p50 / p95 / p99 (medians of the runs)",
        &delays,
    );
    out.push('\n');
    out += &table(
        runs,
        scenarios,
        "p95 delay ms: median (least–most)",
        &with_spread(|outcome| outcome.p95_ms),
    );
    out.push('\n');
    out += &table(
        runs,
        scenarios,
        "resident MB at the end of the run: median (least–most)",
        &with_spread(|outcome| outcome.resident_mb),
    );
    out.push('\n');
    out += &aims(runs, scenarios);
    out
}

/// Whether the aims are met, scenario by scenario, on the medians.
fn aims(runs: &[Run], scenarios: &[Scenario]) -> String {
    let mut out = String::from(
        "| Visita's CPU a frame | to the floor's (aim ≤ 1.2) | to Flask gevent's (aim ≤ 0.25) | \
         to Node's, Base64 (aim ≤ 0.5) | to Node's, binary (aim ≤ 0.5) | p95 ms (aim ≤ 5 at 10↔10) |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for &scenario in scenarios {
        let cpu = |kind| median(runs, kind, scenario, |outcome| outcome.cpu_us);
        let ratio = |kind, aim: f64| {
            let ratio = cpu(Kind::Visita) / cpu(kind);
            match ratio {
                ratio if ratio.is_nan() => "–".to_owned(),
                ratio if ratio <= aim => format!("{ratio:.2}"),
                ratio => format!("{ratio:.2}, **missed**"),
            }
        };
        let p95 = median(runs, Kind::Visita, scenario, |outcome| outcome.p95_ms);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            scenario.name(),
            ratio(Kind::Floor, 1.2),
            ratio(Kind::FlaskGevent, 0.25),
            ratio(Kind::NodeText, 0.5),
            ratio(Kind::NodeBinary, 0.5),
            figure(p95),
        );
    }
    out
}
