//! What sound costs a participant and the relay: the same call without it and with it, in turns.

use std::{error::Error, sync::Arc, thread, time::Duration};

use visita_tests::pulse::{Pulse, RATE, sentence};

use crate::{
    programs::{self, Program},
    spread::{Spread, share},
};

/// CPU is measured from when everybody has come and keys have settled…
const SETTLE: Duration = Duration::from_secs(6);
/// …to a while before the first goes.
const BEFORE_END: Duration = Duration::from_secs(3);
/// Up to so many send large pictures; more would be measured on a machine that is full.
const FEW: usize = 4;

/// CPU of one core in percent, and memory.
struct Used {
    client: f64,
    relay: f64,
    client_mb: f64,
    relay_mb: f64,
}

pub(crate) fn measure(
    built: &str,
    people: usize,
    runs: usize,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    let picture = if people <= FEW {
        "640x360@30"
    } else {
        "320x180@15"
    };
    let call = |sound| run(built, people, picture, seconds, sound);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for number in 0..runs {
        // Whichever is first has the colder machine: they take turns at that too.
        let first = number % 2 == 1;
        for sound in [first, !first] {
            let used = call(sound)?;
            if sound { &mut with } else { &mut without }.push(used);
        }
    }
    println!(
        "| {people} people, {picture}, all of whom speak: {runs} pairs of calls | without sound | with sound | ratio |"
    );
    println!("| --- | ---: | ---: | ---: |");
    let row = |name: &str, figure: fn(&Used) -> f64| {
        let of = |runs: &[Used]| runs.iter().map(figure).collect::<Spread>();
        let pairs = with.iter().zip(&without);
        let ratio: Spread = pairs.map(|(a, b)| figure(a) / figure(b)).collect();
        println!(
            "| {name} | {:.1} | {:.1} | {ratio:.2} |",
            of(&without),
            of(&with)
        );
    };
    row("one participant, % of one core", |used| used.client);
    row("the relay, % of one core", |used| used.relay);
    row("memory of one participant, MB", |used| used.client_mb);
    row("memory of the relay, MB", |used| used.relay_mb);
    println!();
    Ok(())
}

fn run(
    built: &str,
    people: usize,
    picture: &str,
    seconds: u64,
    sound: bool,
) -> Result<Used, Box<dyn Error>> {
    let window = Duration::from_secs(seconds);
    let stay = SETTLE + window + BEFORE_END;
    let pulse = Arc::new(Pulse::start());
    let folder = tempfile::tempdir()?;
    let (relay, host) = programs::relay(built, &folder.path().join("ward"))?;
    let mut clients = Vec::new();
    for number in 0..people {
        let mut client = host.join(built, "Sound");
        client.arg("--name").arg(format!("Person {}", number + 1));
        client.args(["--video", &format!("synthetic:{picture}")]);
        client.args(["--duration", &stay.as_secs().to_string(), "--state"]);
        client.arg(folder.path().join(format!("state-{number}")));
        if sound {
            client.args(["--audio", "mic", "--play-audio", "device"]);
        }
        clients.push(Program::start(pulse.serve(&mut client))?);
    }
    // Whoever speaks is heard by all microphones, since all of them are this one room's.
    let speaking = {
        let (pulse, words) = (pulse.clone(), speech(stay));
        thread::spawn(move || sound.then(|| pulse.say(&words)))
    };
    thread::sleep(SETTLE);
    let cpu = || -> Result<(f64, Vec<f64>), Box<dyn Error>> {
        let of = |program: &Program| program.cpu().map(|used| used.as_secs_f64());
        let clients = clients.iter().map(of).collect::<Result<_, _>>()?;
        Ok((of(&relay)?, clients))
    };
    let (relay_before, before) = cpu()?;
    thread::sleep(window);
    let (relay_after, after) = cpu()?;
    let part = |used: f64| 100.0 * used / window.as_secs_f64();
    let of_clients: Vec<f64> = after
        .iter()
        .zip(&before)
        .map(|(after, before)| part(after - before))
        .collect();
    let memory = clients.iter().map(Program::resident_mb);
    let memory = memory.collect::<Result<Vec<_>, _>>()?;
    let relay_mb = relay.resident_mb()?;
    let heard = clients.iter_mut().map(|client| {
        let report = client.report()?;
        let rows = report["received"].as_array().ok_or("no report")?;
        let heard = rows.iter().any(|row| row["kind"] == "audio");
        Ok::<bool, Box<dyn Error>>(heard == sound)
    });
    if !heard
        .collect::<Result<Vec<_>, _>>()?
        .iter()
        .all(|as_meant| *as_meant)
    {
        return Err("somebody wasn't heard, or was without sound".into());
    }
    speaking.join().map_err(|_| "nobody could speak")?;
    Ok(Used {
        client: share(&of_clients, 0.5),
        relay: part(relay_after - relay_before),
        client_mb: share(&memory, 0.5),
        relay_mb,
    })
}

/// Somebody who doesn't stop.
fn speech(duration: Duration) -> Vec<f32> {
    let words = sentence(
        "es-419",
        "Buenas tardes, abuela. Hoy llovió toda la mañana, y los niños jugaron en la cocina.",
    );
    let samples = duration.as_secs() as usize * RATE;
    words.into_iter().cycle().take(samples).collect()
}
