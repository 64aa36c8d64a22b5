//! One run: people in a room, some of whom send pictures at a steady rate, and what arrives.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time,
};

use crate::{
    STAMP,
    server::Server,
    wire::{self, Came, Failure, Language, Out, Receiver, Sender},
};

/// Who sends how much to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) people: usize,
    pub(crate) publishers: usize,
    /// A picture's size in bytes, before any encoding of it as text.
    pub(crate) bytes: usize,
    pub(crate) per_second: u32,
}

impl Scenario {
    pub(crate) fn name(&self) -> String {
        let who = if self.publishers == 1 {
            format!("1→{}", self.people - 1)
        } else {
            format!("{0}↔{0}", self.people)
        };
        format!(
            "{who} {} KB@{}",
            self.bytes as f64 / 1000.0,
            self.per_second
        )
    }
}

/// What a run gave.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The server's CPU time for each picture that reached a receiver, in microseconds.
    pub(crate) cpu_us: f64,
    /// From before a picture was sent to when it was whole at a receiver, in milliseconds.
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    /// The part of the pictures that never arrived.
    pub(crate) lost: f64,
    /// The server's resident memory at the end, in megabytes.
    pub(crate) resident_mb: f64,
}

/// How long the room runs before measuring: connections, code paths and buffers are warm then.
const WARM_UP: Duration = Duration::from_millis(700);
/// How long pictures that were sent within the window may take to arrive.
const DRAIN: Duration = Duration::from_millis(300);

struct Shared {
    epoch: Instant,
    language: Language,
    scenario: Scenario,
    /// The window in nanoseconds since the epoch; `from` is 0 while it isn't known.
    from: AtomicU64,
    until: AtomicU64,
    sent: AtomicU64,
    /// How long what was sent in the window took, in nanoseconds.
    delays: Mutex<Vec<u64>>,
    failure: Mutex<Option<Failure>>,
}

impl Shared {
    fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    fn in_window(&self, nanos: u64) -> bool {
        let from = self.from.load(Relaxed);
        from != 0 && nanos >= from && nanos < self.until.load(Relaxed)
    }

    fn fail(&self, failure: Failure) {
        // What breaks while everybody is leaving breaks nothing that is measured.
        let over = self.until.load(Relaxed) != u64::MAX;
        if !over && let Ok(mut first) = self.failure.lock() {
            first.get_or_insert(failure);
        }
    }
}

/// Plays `scenario` against a running server for `window`.
pub(crate) async fn run(
    server: &Server,
    scenario: Scenario,
    window: Duration,
    room: &str,
) -> Result<Outcome, Failure> {
    let shared = Arc::new(Shared {
        epoch: Instant::now(),
        language: server.language,
        scenario,
        from: AtomicU64::new(0),
        until: AtomicU64::new(u64::MAX),
        sent: AtomicU64::new(0),
        delays: Mutex::default(),
        failure: Mutex::default(),
    });
    let (mut tasks, ends) = (JoinSet::new(), Arc::new(Notify::new()));
    for index in 0..scenario.people {
        let publishes = index < scenario.publishers;
        let wire::Connection { sender, receiver } =
            wire::connect(server.language, server.port, room, publishes).await?;
        let (tell, told) = mpsc::channel(64);
        tasks.spawn(hear(receiver, tell, Arc::clone(&shared)));
        let ending = Arc::clone(&ends);
        tasks.spawn(speak(
            sender,
            told,
            index,
            publishes,
            Arc::clone(&shared),
            ending,
        ));
    }
    time::sleep(WARM_UP).await;
    let before = server.cpu()?;
    shared.from.store(shared.now(), Relaxed);
    time::sleep(window).await;
    shared.until.store(shared.now(), Relaxed);
    let cpu = server.cpu()?.saturating_sub(before);
    time::sleep(DRAIN).await;
    let resident_mb = server.resident_mb()?;
    // A clean goodbye, so that the next room on this server doesn't carry this one's members.
    ends.notify_waiters();
    let _ = time::timeout(Duration::from_secs(2), async {
        while tasks.join_next().await.is_some() {}
    })
    .await;
    tasks.abort_all();
    if let Some(failure) = shared.failure.lock().map_err(|_| "a task panicked")?.take() {
        return Err(failure);
    }
    let mut delays = shared.delays.lock().map_err(|_| "a task panicked")?;
    let expected = shared.sent.load(Relaxed) as f64 * (scenario.people - 1) as f64;
    if delays.is_empty() {
        return Err(format!("{}: no picture arrived", scenario.name()).into());
    }
    delays.sort_unstable();
    let at = |part: f64| delays[((delays.len() - 1) as f64 * part) as usize] as f64 / 1e6;
    Ok(Outcome {
        cpu_us: cpu.as_secs_f64() * 1e6 / delays.len() as f64,
        p50_ms: at(0.50),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        lost: 1.0 - delays.len() as f64 / expected,
        resident_mb,
    })
}

/// What the receiving half tells the sending one.
enum Tell {
    Send(Out),
    Wanted(bool),
    KeyFrame,
}

/// Receives until the connection ends.
async fn hear(mut receiver: Receiver, tell: mpsc::Sender<Tell>, shared: Arc<Shared>) {
    while let Some(came) = receiver.next().await {
        let told = match came {
            Ok(Came::Picture(picture)) => {
                let now = shared.now();
                let Some((stamp, _)) = picture.split_first_chunk::<STAMP>() else {
                    continue;
                };
                let sent = u64::from_be_bytes(*stamp);
                if shared.in_window(sent)
                    && let Ok(mut delays) = shared.delays.lock()
                {
                    delays.push(now.saturating_sub(sent));
                }
                continue;
            }
            Ok(Came::Wanted(wanted)) => Some(Tell::Wanted(wanted)),
            Ok(Came::KeyFrame) => Some(Tell::KeyFrame),
            Ok(Came::Answer(out)) => Some(Tell::Send(out)),
            Ok(Came::Nothing) => None,
            Err(failure) => {
                shared.fail(failure);
                return;
            }
        };
        let acknowledgement = receiver.acknowledgement().map(Tell::Send);
        for told in told.into_iter().chain(acknowledgement) {
            if tell.send(told).await.is_err() {
                return;
            }
        }
    }
}

/// How often a client shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Sends pictures, if this person does, and whatever the receiving half asks for.
async fn speak(
    mut sender: Sender,
    mut told: mpsc::Receiver<Tell>,
    index: usize,
    publishes: bool,
    shared: Arc<Shared>,
    ends: Arc<Notify>,
) {
    let Scenario {
        publishers,
        bytes,
        per_second,
        ..
    } = shared.scenario;
    let mut picture = vec![0; bytes];
    rand::fill(&mut picture[..]);
    // Cameras aren't in step: their first pictures are spread over one period.
    let period = Duration::from_secs(1) / per_second;
    let first = time::Instant::now() + period.mul_f64(index as f64 / publishers as f64);
    let mut camera = time::interval_at(first, period);
    camera.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
    let mut heartbeat = time::interval(HEARTBEAT);
    let (mut wanted, mut key, mut sequence) = (shared.language != Language::Visita, true, 0);
    let ending = ends.notified();
    tokio::pin!(ending);
    loop {
        let out = tokio::select! {
            () = &mut ending => break,
            _ = camera.tick(), if publishes && wanted => {
                let now = shared.now();
                picture[..STAMP].copy_from_slice(&now.to_be_bytes());
                if shared.in_window(now) {
                    shared.sent.fetch_add(1, Relaxed);
                }
                let out = shared.language.picture(&picture, sequence, key, now / 1_000);
                (sequence, key) = (sequence + 1, false);
                Some(out)
            }
            _ = heartbeat.tick() => wire::ping(shared.language),
            next = told.recv() => match next {
                Some(Tell::Send(out)) => Some(out),
                Some(Tell::Wanted(now)) => { wanted = now; None }
                Some(Tell::KeyFrame) => { key = true; None }
                None => break,
            },
        };
        if let Some(out) = out
            && let Err(failure) = sender.send(out).await
        {
            shared.fail(failure);
            return;
        }
    }
    sender.close().await;
}
