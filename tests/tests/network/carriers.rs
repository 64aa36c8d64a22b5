//! Media over UDP and over a WebSocket on a poor link, and the change between them.

use std::time::Duration;

use visita_client::report::Report;
use visita_media::clock;
use visita_protocol::{media::Kind, way::Way};
use visita_tests::{
    link::Profile,
    program::Running,
    seen::{When, counts, late, report, row},
};

use crate::Visit;

const VIDEO: &str = "synthetic:640x360@30";

const POOR: Profile = Profile {
    rate: 0,
    loss: 0.03,
    delay_ms: 5,
    jitter_ms: 30,
};

/// Reads reports for so long, and the last one of both.
fn watch(visit: &Visit, time: Duration) -> [Report; 2] {
    let until = clock::now().0 + time.as_micros() as u64;
    loop {
        let both = [&visit.ana, &visit.luis].map(report);
        if clock::now().0 >= until {
            return both;
        }
    }
}

/// Reads reports of both until Ana's is as wanted; gives it, and how long that took.
fn until(visit: &Visit, most: Duration, wanted: impl Fn(&Report) -> bool) -> (Report, Duration) {
    let begin = clock::now().0;
    loop {
        let [ana, _] = [&visit.ana, &visit.luis].map(report);
        let took = Duration::from_micros(clock::now().0 - begin);
        if wanted(&ana) {
            return (ana, took);
        }
        assert!(took < most, "it doesn't come: {ana:?}");
    }
}

/// What a carrier makes of a poor link.
struct Figures {
    frozen: f64,
    arrived_p95: f64,
    concealed: f64,
}

/// Measures a carrier on the link that loses 3 % with 30 ms of jitter; `None` where there is no link.
fn measure(carrier: &str) -> Option<[Figures; 2]> {
    let mut visit = Visit::over(carrier, None, VIDEO)?;
    let pictures = |of: &Report| row(of, Kind::Video).is_some_and(|row| row.frames_decoded > 30);
    until(&visit, Duration::from_secs(20), pictures);
    let [good, _] = watch(&visit, Duration::from_secs(3));
    let expected = if carrier == "webrtc" {
        Way::Webrtc
    } else {
        Way::Ws
    };
    assert_eq!(good.ways.carrier, expected, "{carrier} on a good link");
    visit.ward.link.profile(POOR);
    if carrier == "auto" {
        let over = |report: &Report| report.ways.carrier == Way::Webrtc;
        let (_, took) = until(&visit, Duration::from_secs(30), over);
        println!("auto: over UDP {took:?} after the link became poor");
    }
    let begin = watch(&visit, Duration::from_secs(5));
    let begin = begin.each_ref().map(counts);
    let end = watch(&visit, Duration::from_secs(20));
    let ways = end[0].ways;
    let end = end.each_ref().map(counts);
    let stamps = visit.stamps();
    let [down, up] = [0, 1].map(|who| {
        let span = begin[who].to(end[who]);
        let [arrived, shown] = [When::Arrived, When::Shown]
            .map(|when| late(&stamps[who], span, when).expect("pictures come"));
        println!(
            "{carrier} ({ways:?}), {}: arrived p50 {:.0} p95 {:.0} ms, shown p50 {:.0} p95 {:.0} ms, \
             frozen {:.2} %, {:.1} pictures a second, {:.2} % of sound concealed",
            ["down", "up"][who],
            arrived.p50,
            arrived.p95,
            shown.p50,
            shown.p95,
            span.frozen(),
            span.rate(),
            span.concealed(),
        );
        Figures {
            frozen: span.frozen(),
            arrived_p95: arrived.p95,
            concealed: span.concealed(),
        }
    });
    Some([down, up])
}

#[test]
fn at_3_percent_loss_and_30_ms_jitter_auto_changes_over_by_itself() {
    for carrier in ["ws", "webrtc", "auto"] {
        let Some(figures) = measure(carrier) else {
            return;
        };
        // The aims are 100 ms and 1 %: what is measured says how far they are (docs/PERFORMANCE.md).
        // Beyond these something is broken.
        for figures in figures {
            assert!(figures.frozen < 15.0, "{} % frozen", figures.frozen);
            let p95 = figures.arrived_p95;
            assert!(p95 <= 300.0, "p95 {p95} ms");
            assert!(figures.concealed < 2.0, "{} % concealed", figures.concealed);
        }
    }
}

fn over(program: &Running, way: Way) -> bool {
    report(program).ways.carrier == way
}

#[test]
fn where_udp_is_dropped_in_a_call_it_goes_on_over_the_websocket_and_back() {
    let Some(mut visit) = Visit::over("webrtc", None, VIDEO) else {
        return;
    };
    let way = |wanted: Way| move |report: &Report| report.ways.carrier == wanted;
    until(&visit, Duration::from_secs(20), way(Way::Webrtc));
    let before = watch(&visit, Duration::from_secs(3)).each_ref().map(counts);
    visit.ward.link.udp(false);
    let (_, took) = until(&visit, Duration::from_secs(10), way(Way::Ws));
    let after = watch(&visit, Duration::from_secs(3)).each_ref().map(counts);
    for (who, name) in [(0, "down"), (1, "up")] {
        let span = before[who].to(after[who]);
        println!(
            "UDP dropped, noticed after {took:?}; {name}: {} pictures and {} ms frozen in {:.1} s",
            span.pictures,
            span.frozen_ms,
            span.seconds()
        );
    }
    assert!(took < Duration::from_secs(3), "{took:?}");
    let whole = watch(&visit, Duration::from_secs(3)).each_ref().map(counts);
    for who in [0, 1] {
        let span = after[who].to(whole[who]);
        assert!(
            span.pictures >= 60,
            "{} pictures over the WebSocket",
            span.pictures
        );
    }
    assert!(over(&visit.ana, Way::Ws));
    visit.ward.link.udp(true);
    let (_, took) = until(&visit, Duration::from_secs(40), way(Way::Webrtc));
    println!("over UDP again {took:?} after it went through");
    let begin = watch(&visit, Duration::from_millis(100))
        .each_ref()
        .map(counts);
    let end = watch(&visit, Duration::from_secs(3)).each_ref().map(counts);
    for who in [0, 1] {
        let span = begin[who].to(end[who]);
        assert!(span.pictures >= 60, "{} pictures over UDP", span.pictures);
    }
    visit.end();
}
