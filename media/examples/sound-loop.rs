//! From the system's microphone to its loudspeaker and nothing between: opened as the product
//! opens them, so that what is left of a call's delay is known to be the devices'. Ends with its
//! standard input, and then prints how long sound waited between the two, and how long the system
//! says that it was on its way before and will be after, as a line of JSON.
#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    io::Read as _,
    sync::{Arc, Mutex, PoisonError},
};

use cpal::{
    BufferSize, StreamConfig,
    traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _},
};
use rtrb::RingBuffer;
use visita_media::{
    clock,
    sound::{BLOCK, RATE},
    stats::Percentiles,
};

/// A second.
const ROOM: usize = RATE as usize;

fn main() -> Result<(), Box<dyn Error>> {
    let host = cpal::default_host();
    let microphone = host.default_input_device().ok_or("no microphone")?;
    let loudspeaker = host.default_output_device().ok_or("no loudspeaker")?;
    let config = StreamConfig {
        channels: 1,
        sample_rate: RATE,
        buffer_size: BufferSize::Fixed(BLOCK as u32),
    };
    // Each sample with the time at which it was brought.
    let (mut fill, mut drain) = RingBuffer::<(f32, u64)>::new(ROOM);
    let told = || Arc::new(Mutex::new(Percentiles::new()));
    let (before, after) = (told(), told());
    let (tells_before, tells_after) = (before.clone(), after.clone());
    let add = |to: &Mutex<Percentiles>, took: std::time::Duration| {
        let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
        to.add(took.as_micros() as u64);
    };
    let input = microphone.build_input_stream::<f32, _, _>(
        config,
        move |data, info: &cpal::InputCallbackInfo| {
            let now = clock::now().0;
            let at = info.timestamp();
            add(
                &tells_before,
                at.callback.saturating_duration_since(at.capture),
            );
            for &sample in data {
                let _ = fill.push((sample, now));
            }
        },
        |error| eprintln!("the microphone: {error}"),
        None,
    )?;
    let waited = Arc::new(Mutex::new((Percentiles::new(), 0_u64)));
    let counts = waited.clone();
    let output = loudspeaker.build_output_stream::<f32, _, _>(
        config,
        move |data, info: &cpal::OutputCallbackInfo| {
            let now = clock::now().0;
            let at = info.timestamp();
            add(
                &tells_after,
                at.playback.saturating_duration_since(at.callback),
            );
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            for out in data {
                if let Ok((sample, brought)) = drain.pop() {
                    counts.0.add(now - brought);
                    *out = sample;
                } else {
                    counts.1 += 1;
                    *out = 0.0;
                }
            }
        },
        |error| eprintln!("the loudspeaker: {error}"),
        None,
    )?;
    // The loudspeaker first: nothing piles up before it takes any.
    output.play()?;
    input.play()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop((input, output));
    let counts = waited.lock().unwrap_or_else(PoisonError::into_inner);
    let at = |share| counts.0.at(share).unwrap_or_default();
    let median = |of: &Mutex<Percentiles>| {
        let of = of.lock().unwrap_or_else(PoisonError::into_inner);
        of.at(0.5).unwrap_or_default()
    };
    println!(
        r#"{{"waited_us":{{"p50":{},"p95":{}}},"before_us":{},"after_us":{},"missing":{}}}"#,
        at(0.5),
        at(0.95),
        median(&before),
        median(&after),
        counts.1
    );
    Ok(())
}
