//! Where the delay from a picture's source to its picture at another participant goes, by part:
//! two participants and the relay in one process, on one clock, over real sockets and TLS. The
//! whole is read from the marker in the decoded pixels, the parts from stamps on the way.
//! `scripts/bench waterfall` builds and starts it.

use std::{
    collections::HashMap,
    error::Error,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

mod join;

use clap::Parser;
use tokio::{runtime, sync::oneshot, time::sleep};
use visita_client::{
    address::HostUrl,
    call::{self, Options},
    session,
    trace::{Stamp, Trace},
    trust::{Expect, Tls},
};
use visita_media::{clock, marker, publish::Limits, source::Choice, stats::Percentiles};
use visita_protocol::{
    control::{Role, RoomChoice, RoomKind},
    id::Fingerprint,
    name::{PersonName, RoomName},
    time::MediaTime,
};
use visita_relay::{Config, Relay, bind};

/// The parts of a picture's way.
#[derive(Parser)]
struct Arguments {
    /// How long pictures are sent, in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// The picture, as `--video` of visita-client has it.
    #[arg(long, default_value = "synthetic:640x360@30")]
    video: Choice,
    /// Sends to whoever enters the room "Bench" until standard input ends; then writes when each
    /// picture was where on its way out, one line of JSON each, into this file. The first line of
    /// standard output says where the relay is, and what the clocks show (`paint.mjs`).
    #[arg(long)]
    for_pages: Option<PathBuf>,
    /// Measures the way into a room instead, so many times.
    #[arg(long)]
    joins: Option<u32>,
}

/// Pictures at the start that don't count: connections and encoders settle.
const SETTLE: usize = 60;

/// When a picture was where, in microseconds.
#[derive(Clone, Copy, Default)]
struct Way {
    captured: Option<u64>,
    encoded: Option<u64>,
    sent: Option<u64>,
    arrived: Option<u64>,
    decoded: Option<u64>,
}

/// By the time of capture, which the marker and all stamps have in common.
#[derive(Default)]
struct Ways {
    pictures: HashMap<u64, Way>,
    order: Vec<u64>,
    unreadable: u64,
    decode_us: Option<Percentiles>,
}

impl Ways {
    fn at(&mut self, captured: MediaTime) -> &mut Way {
        if !self.pictures.contains_key(&captured.0) {
            self.order.push(captured.0);
        }
        self.pictures.entry(captured.0).or_default()
    }

    fn stamp(&mut self, stamp: Stamp, now: u64) {
        match stamp {
            Stamp::Captured { captured } => self.at(captured).captured = Some(now),
            Stamp::Encoded { captured, .. } => self.at(captured).encoded = Some(now),
            Stamp::Sent { captured, .. } => self.at(captured).sent = Some(now),
            Stamp::Arrived { captured, .. } => self.at(captured).arrived = Some(now),
            Stamp::Decoded { picture, .. } => match marker::read(&picture) {
                Some(mark) => self.at(mark.time).decoded = Some(now),
                None => self.unreadable += 1,
            },
            Stamp::Ended { decode_us, .. } => self.decode_us = Some(decode_us),
            Stamp::Shown { .. } | Stamp::Heard { .. } | Stamp::Step(_) => {}
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let data = tempfile::tempdir()?;
    let config = Config {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data: data.path().to_owned(),
        advertise: false,
        ..Config::default()
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let (started, ready) = std::sync::mpsc::channel();
    let relay = std::thread::spawn(move || -> Result<(), String> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| e.to_string())?;
        runtime.block_on(async {
            let listener = bind(config.listen).map_err(|e| e.to_string())?;
            let relay = Relay::new(config, listener).map_err(|e| e.to_string())?;
            let handle = relay.handle();
            let _ = started.send((handle.local_addr(), handle.fingerprint()));
            relay.serve(async { drop(stopped.await) }).await;
            Ok(())
        })
    });
    let (address, fingerprint) = ready.recv()?;
    let ways = Arc::new(Mutex::new(Ways::default()));
    let taken = ways.clone();
    let trace = Trace::new(move |stamp| {
        let now = clock::now().0;
        taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stamp(stamp, now);
    });
    runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(&arguments, address, fingerprint, trace))?;
    drop(stop);
    relay.join().map_err(|_| "the relay failed")??;
    let ways = ways.lock().unwrap_or_else(PoisonError::into_inner);
    match &arguments.for_pages {
        Some(file) => write(&ways, file),
        None if arguments.joins.is_some() => Ok(()),
        None => print(&ways),
    }
}

async fn run(
    arguments: &Arguments,
    address: SocketAddr,
    fingerprint: Fingerprint,
    trace: Trace,
) -> Result<(), Box<dyn Error>> {
    let session = || -> Result<_, Box<dyn Error>> {
        let tls = Tls::new(Expect::Pin(fingerprint))?;
        Ok(session::Options::new(
            vec![HostUrl::from_socket(address)],
            tls,
        ))
    };
    let options = |video: Choice, trace: Trace| -> Result<_, Box<dyn Error>> {
        let room = RoomChoice::Name {
            name: RoomName::new("Bench")?,
            create: Some(RoomKind::Meeting),
        };
        let mut options = Options::new(room, PersonName::new("Bench")?, Role::Guest, video);
        options.trace = Some(trace);
        let full = visita_protocol::media::Size::new(1920, 1080);
        options.limits = Limits {
            h264: full,
            h264_fps: 60,
            ..Limits::default()
        };
        Ok(options)
    };
    if let Some(times) = arguments.joins {
        let participant = |video, trace| {
            let made = (session(), options(video, trace));
            async move {
                let (call, events, _) = call::join(made.0?, made.1?).await?;
                Ok((call, events))
            }
        };
        return join::measure(times, participant, &arguments.video).await;
    }
    let (sender, mut sender_events, _) =
        call::join(session()?, options(arguments.video.clone(), trace.clone())?).await?;
    if arguments.for_pages.is_some() {
        say_where(address, fingerprint)?;
        // Somebody else receives, and says when it has enough by closing our standard input.
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::pin!(ended);
        loop {
            tokio::select! {
                _ = &mut ended => break,
                event = sender_events.recv() => if event.is_none() { break },
            }
        }
        sender.leave();
        while sender_events.recv().await.is_some() {}
        return Ok(());
    }
    let (receiver, mut receiver_events, _) =
        call::join(session()?, options(Choice::None, trace)?).await?;
    sleep(Duration::from_secs(arguments.seconds)).await;
    receiver.leave();
    while receiver_events.recv().await.is_some() {}
    sender.leave();
    while sender_events.recv().await.is_some() {}
    Ok(())
}

#[allow(clippy::print_stdout)]
fn say_where(address: SocketAddr, fingerprint: Fingerprint) -> Result<(), Box<dyn Error>> {
    // The two clocks at one moment: pages know only the wall clock.
    let wall = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let clock = clock::now().0;
    println!(
        r#"{{"url":"https://{address}","fingerprint":"sha256:{fingerprint}","wall_us":{wall},"clock_us":{clock}}}"#
    );
    Ok(())
}

fn write(ways: &Ways, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    for at in ways.order.iter().skip(SETTLE) {
        let way = ways.pictures[at];
        if let (Some(captured), Some(encoded), Some(sent)) = (way.captured, way.encoded, way.sent) {
            writeln!(
                out,
                r#"{{"at":{at},"captured":{captured},"encoded":{encoded},"sent":{sent}}}"#
            )?;
        }
    }
    out.flush()?;
    Ok(())
}

/// From one stamp to another.
fn part(
    ways: &[Way],
    from: impl Fn(&Way) -> Option<u64>,
    to: impl Fn(&Way) -> Option<u64>,
) -> Percentiles {
    let mut part = Percentiles::new();
    for way in ways {
        if let (Some(from), Some(to)) = (from(way), to(way)) {
            part.add(to.saturating_sub(from));
        }
    }
    part
}

#[allow(clippy::print_stdout)]
fn print(ways: &Ways) -> Result<(), Box<dyn Error>> {
    let all: Vec<(u64, Way)> = ways
        .order
        .iter()
        .skip(SETTLE)
        .map(|at| (*at, ways.pictures[at]))
        .collect();
    let whole: Vec<Way> = all
        .iter()
        .map(|(_, way)| *way)
        .filter(|way| way.decoded.is_some())
        .collect();
    let mut total = Percentiles::new();
    for (at, way) in &all {
        if let Some(decoded) = way.decoded {
            total.add(decoded.saturating_sub(*at));
        }
    }
    let mut capture = Percentiles::new();
    for (at, way) in &all {
        if let (Some(captured), Some(_)) = (way.captured, way.decoded) {
            capture.add(captured.saturating_sub(*at));
        }
    }
    let decode = ways.decode_us.clone().ok_or("nothing was decoded")?;
    // When a decoder begins isn't stamped: its share is what decoding took, and the rest is waiting.
    let received = part(&whole, |way| way.arrived, |way| way.decoded);
    let waiting = (ms(&received, 0.5) - ms(&decode, 0.5)).max(0.0);
    let row =
        |name, part: &Percentiles| (name, ms(part, 0.5), Some((ms(part, 0.95), ms(part, 0.99))));
    let rows = [
        row("capture: drawn, handed on", &capture),
        row(
            "encode: waiting for the encoder's thread, scaling, H.264",
            &part(&whole, |way| way.captured, |way| way.encoded),
        ),
        row(
            "send: queue, WebSocket, TLS, until the socket has it",
            &part(&whole, |way| way.encoded, |way| way.sent),
        ),
        row(
            "relay: two sockets, TLS in and out, forwarding, until the frame is whole",
            &part(&whole, |way| way.sent, |way| way.arrived),
        ),
        ("receive: waiting for the decoder's thread", waiting, None),
        row("decode: H.264", &decode),
    ];
    println!("| part | p50 ms | p95 ms | p99 ms | |");
    println!("| --- | ---: | ---: | ---: | --- |");
    let scale = ms(&total, 0.5).max(0.001);
    let mut begin = 0.0;
    for (name, p50, tail) in rows {
        let cells = |ms: f64| (ms / scale * 40.0).round() as usize;
        let (before, bar) = ("·".repeat(cells(begin)), "█".repeat(cells(p50).max(1)));
        begin += p50;
        let tail = tail.map_or("| |".to_owned(), |(p95, p99)| {
            format!("{p95:.2} | {p99:.2} |")
        });
        println!("| {name} | {p50:.2} | {tail} `{before}{bar}` |");
    }
    println!(
        "| **from source to decoded picture, read from the pixels** | **{:.2}** | **{:.2}** | **{:.2}** | |",
        ms(&total, 0.5),
        ms(&total, 0.95),
        ms(&total, 0.99)
    );
    println!();
    println!(
        "{} pictures decoded of {} captured; {} without a readable marker.",
        whole.len(),
        all.len(),
        ways.unreadable
    );
    Ok(())
}

fn ms(percentiles: &Percentiles, share: f64) -> f64 {
    percentiles.at(share).unwrap_or_default() as f64 / 1000.0
}
