//! How long it takes to get into a room, step by step: one participant is there and sends, another
//! comes, again and again. Its times are its own; the last is from the pixels that the first sees.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};
use visita_client::{
    call,
    trace::{Stamp, Step, Trace},
};
use visita_media::{clock, source::Choice};

/// A join that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The steps, in the order in which they are printed: first the way in and the other's picture,
/// then the own picture's way to the other.
const STEPS: [(&str, &str); 12] = [
    ("connected", "TCP and TLS"),
    ("upgraded", "WebSocket"),
    ("welcomed", "hello and welcome"),
    ("joined", "join: in the room"),
    ("arrived", "the other's first key frame is here"),
    ("decoded", "and decoded"),
    ("captured", "own camera's first picture"),
    ("asked", "own picture asked for"),
    ("encoded", "own first key frame encoded"),
    ("sent", "and taken by the socket"),
    ("there", "the other has it"),
    ("seen", "and has decoded it"),
];

type Times = BTreeMap<&'static str, u64>;

/// When each step was first reached, and whether all are.
#[derive(Clone, Default)]
struct Steps {
    times: Arc<Mutex<Times>>,
    whole: watch::Sender<bool>,
}

impl Steps {
    fn reach(&self, step: &'static str) {
        let now = clock::now().0;
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.entry(step).or_insert(now);
        if STEPS.iter().all(|(step, _)| times.contains_key(step)) {
            self.whole.send_replace(true);
        }
    }

    fn own(&self, stamp: &Stamp) {
        self.reach(match stamp {
            Stamp::Step(Step::Connected) => "connected",
            Stamp::Step(Step::Upgraded) => "upgraded",
            Stamp::Step(Step::Welcomed) => "welcomed",
            Stamp::Step(Step::Joined) => "joined",
            Stamp::Step(Step::Asked) => "asked",
            Stamp::Captured { .. } => "captured",
            Stamp::Encoded { .. } => "encoded",
            Stamp::Sent { .. } => "sent",
            Stamp::Arrived { .. } => "arrived",
            Stamp::Decoded { .. } => "decoded",
            Stamp::Shown { .. } | Stamp::Heard { .. } | Stamp::Ended { .. } => return,
        });
    }

    fn others(&self, stamp: &Stamp) {
        match stamp {
            Stamp::Arrived { .. } => self.reach("there"),
            Stamp::Decoded { .. } => self.reach("seen"),
            _ => {}
        }
    }
}

/// Joins so many times; `join` makes what a participant needs of its source and its trace.
pub(crate) async fn measure<F>(
    times: u32,
    participant: impl Fn(Choice, Trace) -> F,
    video: &Choice,
) -> Result<(), Box<dyn Error>>
where
    F: Future<
        Output = Result<(call::Call, tokio::sync::mpsc::Receiver<call::Event>), Box<dyn Error>>,
    >,
{
    let watched: Arc<Mutex<Option<Steps>>> = Arc::default();
    let watching = watched.clone();
    let first = Trace::new(move |stamp| {
        let steps = watching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(steps) = &*steps {
            steps.others(&stamp);
        }
    });
    let (_host, mut events) = participant(video.clone(), first).await?;
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    let mut joins = Vec::new();
    for _ in 0..times {
        let steps = Steps::default();
        *watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(steps.clone());
        let own = steps.clone();
        let begin = clock::now().0;
        let trace = Trace::new(move |stamp| own.own(&stamp));
        let (call, mut events) = participant(video.clone(), trace).await?;
        let mut whole = steps.whole.subscribe();
        timeout(PATIENCE, whole.wait_for(|whole| *whole)).await??;
        call.leave();
        while events.recv().await.is_some() {}
        let times = steps.times.lock().unwrap_or_else(PoisonError::into_inner);
        joins.push(
            times
                .iter()
                .map(|(step, at)| (*step, at.saturating_sub(begin)))
                .collect::<Times>(),
        );
    }
    print(&joins);
    Ok(())
}

#[allow(clippy::print_stdout)]
fn print(joins: &[Times]) {
    let at = |step: &str, share: f64| {
        let mut times: Vec<u64> = joins
            .iter()
            .filter_map(|join| join.get(step).copied())
            .collect();
        times.sort_unstable();
        let rank = (share * times.len() as f64) as usize;
        times
            .get(rank.min(times.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default() as f64
            / 1000.0
    };
    let most = STEPS
        .iter()
        .map(|(step, _)| at(step, 0.5))
        .fold(0.001, f64::max);
    println!("| step | from the start, p50 ms | p95 ms | |");
    println!("| --- | ---: | ---: | --- |");
    for (step, name) in STEPS {
        let bar = "█".repeat(((at(step, 0.5) / most * 40.0).round() as usize).max(1));
        println!(
            "| {name} | {:.1} | {:.1} | `{bar}` |",
            at(step, 0.5),
            at(step, 0.95)
        );
    }
    println!("\n{} joins.", joins.len());
}
