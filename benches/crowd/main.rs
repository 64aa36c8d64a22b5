//! Two hundred who come within ten seconds: how long each waits until the host has welcomed it and
//! until it sees somebody. Rooms in which somebody is seen already, and a crowd that joins them, all
//! of them whole clients without a window in one process; the relay is the released program.
//! `scripts/bench crowd` builds and starts it.

use std::{
    error::Error,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::{Parser, ValueEnum};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use visita_client::{
    call::{self, Call, Event, Options},
    session,
    trace::{Stamp, Step, Trace},
    trust::{self, Expect, Tls},
};
use visita_media::source::Choice;
use visita_protocol::{
    control::{Role, RoomChoice, RoomKind},
    name::{PersonName, RoomName},
    way::{Policy, Way},
};

// What joins here isn't a program of its own.
#[allow(dead_code)]
#[path = "../programs.rs"]
mod programs;

/// Many who come at once.
#[derive(Parser)]
struct Arguments {
    /// How many come.
    #[arg(long, default_value_t = 200)]
    people: u32,
    /// Within how many seconds, one after the other.
    #[arg(long, default_value_t = 10.0)]
    within: f64,
    /// Into how many rooms, each with somebody who is seen.
    #[arg(long, default_value_t = 25)]
    rooms: u32,
    /// What those send.
    #[arg(long, default_value = "synthetic:320x180@15")]
    video: Choice,
    /// Over what media goes.
    #[arg(long, value_enum, default_value = "ws")]
    carrier: Carrier,
    /// Where the release build is.
    #[arg(long)]
    built: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Carrier {
    Ws,
    Webrtc,
}

/// Nobody should wait longer than this until something is seen.
const AIM_MS: f64 = 2000.0;
/// Who waits longer than this waits for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// The steps, in the order in which they are printed.
const STEPS: [(At, &str); 4] = [
    (At::Connected, "TCP and TLS"),
    (At::Welcomed, "welcome"),
    (At::Joined, "in the room"),
    (At::Seen, "first picture decoded"),
];
const OVER_UDP: (At, &str) = (At::OverUdp, "media over UDP");

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Connected,
    Welcomed,
    Joined,
    Seen,
    OverUdp,
}

type Failure = Box<dyn Error + Send + Sync>;

/// When somebody reached each step, from when they began to connect.
struct Waits {
    begin: Instant,
    reached: Mutex<Vec<(At, Duration)>>,
    changed: watch::Sender<()>,
}

impl Waits {
    fn begin() -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            reached: Mutex::default(),
            changed: watch::Sender::default(),
        })
    }

    fn reach(&self, at: At) {
        let took = self.begin.elapsed();
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.iter().any(|(step, _)| *step == at) {
            return;
        }
        reached.push((at, took));
        drop(reached);
        self.changed.send_replace(());
    }

    fn when(&self, at: At) -> Option<Duration> {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let found = reached.iter().find(|(step, _)| *step == at);
        found.map(|(_, took)| *took)
    }

    fn stamp(&self, stamp: &Stamp) {
        self.reach(match stamp {
            Stamp::Step(Step::Connected) => At::Connected,
            Stamp::Step(Step::Welcomed) => At::Welcomed,
            Stamp::Step(Step::Joined) => At::Joined,
            Stamp::Decoded { .. } => At::Seen,
            _ => return,
        });
    }

    async fn all(&self, steps: &[(At, &str)]) -> Result<(), Failure> {
        let mut changed = self.changed.subscribe();
        let whole = changed.wait_for(|()| steps.iter().all(|(at, _)| self.when(*at).is_some()));
        timeout(PATIENCE, whole)
            .await
            .map_err(|_| "somebody sees nothing")??;
        Ok(())
    }
}

/// Where all of them go.
struct Ward {
    host: programs::Host,
    policy: Policy,
}

impl Ward {
    /// Joins one of the rooms.
    async fn join(
        &self,
        room: u32,
        role: Role,
        video: Choice,
        trace: Option<Trace>,
    ) -> Result<(Call, mpsc::Receiver<Event>), Failure> {
        let pin = trust::parse_fingerprint(&self.host.fingerprint).ok_or("no fingerprint")?;
        let tls = Tls::new(Expect::Pin(pin))?;
        let mut session = session::Options::new(vec![self.host.url.parse()?], tls);
        session.carrier = self.policy;
        let room = RoomChoice::Name {
            name: RoomName::new(&format!("Room {room}"))?,
            create: Some(RoomKind::Bed),
        };
        let mut options = Options::new(room, PersonName::new("Bench")?, role, video);
        options.trace = trace;
        let (call, events, _) = call::join(session, options).await?;
        Ok((call, events))
    }

    /// One of the crowd comes, and stays.
    async fn come(&self, room: u32, steps: &[(At, &str)]) -> Result<Arc<Waits>, Failure> {
        let waits = Waits::begin();
        let stamped = waits.clone();
        let trace = Trace::new(move |stamp| stamped.stamp(&stamp));
        let joined = self.join(room, Role::Family, Choice::None, Some(trace));
        let (call, mut events) = joined.await?;
        let told = waits.clone();
        tokio::spawn(async move {
            // Whoever isn't held leaves.
            let _call = call;
            while let Some(event) = events.recv().await {
                if matches!(event, Event::Way(Way::Webrtc)) {
                    told.reach(At::OverUdp);
                }
            }
        });
        waits.all(steps).await?;
        Ok(waits)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let (relay, ward) = open(&arguments, folder.path())?;
    let (steps, ward) = (steps(arguments.carrier), Arc::new(ward));
    let mut beds = Vec::new();
    for room in 0..arguments.rooms {
        let (call, mut events) = ward
            .join(room, Role::Bedside, arguments.video.clone(), None)
            .await?;
        tokio::spawn(async move { while events.recv().await.is_some() {} });
        beds.push(call);
    }
    let cpu = relay.cpu().map_err(|error| error.to_string())?;
    let begin = Instant::now();
    let mut coming = JoinSet::new();
    for number in 0..arguments.people {
        let at = f64::from(number) * arguments.within / f64::from(arguments.people);
        let (ward, room, steps) = (ward.clone(), number % arguments.rooms, steps.clone());
        coming.spawn(async move {
            sleep_until(begin + Duration::from_secs_f64(at)).await;
            ward.come(room, &steps).await
        });
    }
    let mut crowd = Vec::new();
    while let Some(came) = coming.join_next().await {
        crowd.push(came??);
    }
    let took = begin.elapsed();
    let used = relay
        .cpu()
        .map_err(|error| error.to_string())?
        .saturating_sub(cpu);
    let resident = relay.resident_mb().map_err(|error| error.to_string())?;
    print(&arguments, &steps, &crowd);
    say(took, used, resident);
    Ok(())
}

fn open(arguments: &Arguments, folder: &Path) -> Result<(programs::Program, Ward), Failure> {
    let relay = programs::relay(&arguments.built, &folder.join("ward"));
    let (relay, host) = relay.map_err(|error| error.to_string())?;
    let policy = match arguments.carrier {
        Carrier::Ws => Policy::Ws,
        Carrier::Webrtc => Policy::Webrtc,
    };
    Ok((relay, Ward { host, policy }))
}

fn steps(carrier: Carrier) -> Vec<(At, &'static str)> {
    let mut steps = STEPS.to_vec();
    if matches!(carrier, Carrier::Webrtc) {
        steps.push(OVER_UDP);
    }
    steps
}

#[allow(clippy::print_stdout)]
fn print(arguments: &Arguments, steps: &[(At, &str)], crowd: &[Arc<Waits>]) {
    let carrier = match arguments.carrier {
        Carrier::Ws => "ws",
        Carrier::Webrtc => "webrtc",
    };
    println!(
        "| {} people within {} s into {} rooms, `{carrier}` | p50 ms | p95 ms | most ms | over {:.0} s |",
        arguments.people,
        arguments.within,
        arguments.rooms,
        AIM_MS / 1000.0
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (at, name) in steps {
        let took = crowd.iter().filter_map(|waits| waits.when(*at));
        let mut took: Vec<f64> = took.map(|took| took.as_secs_f64() * 1000.0).collect();
        took.sort_by(f64::total_cmp);
        let share = |share: f64| took[(share * (took.len() - 1) as f64) as usize];
        let over = took.iter().filter(|took| **took > AIM_MS).count();
        println!(
            "| {name} | {:.0} | {:.0} | {:.0} | {over}{} |",
            share(0.5),
            share(0.95),
            share(1.0),
            if over > 0 { ", **missed**" } else { "" }
        );
    }
}

#[allow(clippy::print_stdout)]
fn say(took: Duration, used: Duration, resident_mb: f64) {
    println!(
        "\nFrom the first to the last of them {:.1} s; the relay used {:.2} s of CPU meanwhile and has {resident_mb:.0} MB resident.\n",
        took.as_secs_f64(),
        used.as_secs_f64(),
    );
}
