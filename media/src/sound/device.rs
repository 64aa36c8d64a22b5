//! Microphones and loudspeakers by cpal: PulseAudio (which PipeWire speaks) and ALSA on Linux,
//! WASAPI, CoreAudio, AAudio. Nothing else in the crate knows cpal.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use cpal::{
    BufferSize, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    Error,
    devices::{Device, DeviceId, Devices, Watch},
};

pub(super) mod callback;
mod host;

use callback::{Drain, Fill, Stamp};

/// How long the system may take to open a device.
const OPENING: Duration = Duration::from_secs(5);
/// What a ring holds at most, in milliseconds: more than any thread is ever late.
const RING_MS: u32 = 400;
/// Callbacks between two looks at the stamps: far more than come in the meantime.
const STAMPS: usize = 256;

impl From<cpal::Error> for Error {
    fn from(error: cpal::Error) -> Self {
        match error.kind() {
            ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => Self::Missing,
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::DeviceBusy => Self::Busy,
            ErrorKind::StreamInvalidated => Self::Lost(error.to_string()),
            ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => {
                Self::Unsupported(error.to_string())
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Which way sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

fn id_of(device: &cpal::Device) -> Option<DeviceId> {
    Some(DeviceId::new(device.id().ok()?.to_string()))
}

fn name_of(device: &cpal::Device) -> String {
    let described = device.description();
    described.map_or_else(|_| String::new(), |described| described.name().to_owned())
}

fn default_of(host: &cpal::Host, way: Way) -> Option<cpal::Device> {
    match way {
        Way::In => host.default_input_device(),
        Way::Out => host.default_output_device(),
    }
}

/// What plays on a loudspeaker is no microphone to choose, though PulseAudio lists it among them.
fn is_monitor(id: &DeviceId) -> bool {
    id.as_str().starts_with("pulseaudio:") && id.as_str().ends_with(".monitor")
}

pub(super) fn list() -> Result<Devices, Error> {
    let host = host::host();
    let (input, output) = [Way::In, Way::Out]
        .map(|way| default_of(&host, way).as_ref().and_then(id_of))
        .into();
    let mut devices = Devices::default();
    for device in host.devices()? {
        let Some(id) = id_of(&device) else { continue };
        let name = name_of(&device);
        let listed = |default: &Option<DeviceId>| Device {
            default: default.as_ref() == Some(&id),
            id: id.clone(),
            name: name.clone(),
        };
        if device.supports_input() && !is_monitor(&id) {
            devices.microphones.push(listed(&input));
        }
        if device.supports_output() {
            devices.speakers.push(listed(&output));
        }
    }
    Ok(devices)
}

/// What the callbacks tell, and what became of the stream.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Samples that found no room, or frames of silence where there were no samples.
    pub(super) missed: AtomicU64,
    /// How long after a callback its sound is heard, in microseconds.
    pub(super) latency_us: AtomicU64,
    /// When the last callback was, on this machine's clock.
    pub(super) called_us: AtomicU64,
    /// How many frames the last callback asked for.
    pub(super) asked: AtomicU64,
    /// Callbacks so far.
    pub(super) callbacks: AtomicU64,
    failed: Mutex<Option<Error>>,
    moved: AtomicBool,
}

impl State {
    /// Why the stream ended, if it did.
    pub(super) fn failed(&self) -> Option<Error> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }

    fn fail(&self, error: cpal::Error) {
        // What is played late, or not with the priority that was asked for, is played.
        let passes = matches!(
            error.kind(),
            ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged
        );
        if passes {
            tracing::debug!(%error, "the sound device");
            return;
        }
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(match Error::from(error) {
            Error::Missing => Error::Lost("gone".into()),
            Error::Failed(why) => Error::Lost(why),
            other => other,
        });
    }

    /// Whether the system's default is another device now, where the default was chosen.
    pub(super) fn moved(&self) -> bool {
        self.moved.load(Ordering::Acquire)
    }
}

/// A device that is open, whichever way.
struct Open {
    device: cpal::Device,
    name: String,
    config: SupportedStreamConfig,
    state: Arc<State>,
    watch: Option<Watch>,
}

/// Finds a device: that one, or the system's default.
fn open(id: Option<&DeviceId>, way: Way) -> Result<Open, Error> {
    let device = match id {
        Some(id) => {
            let id: cpal::DeviceId = id.as_str().parse().map_err(|_| Error::Missing)?;
            let host = host::named(id.host())?;
            host.device_by_id(&id).ok_or(Error::Missing)?
        }
        None => default_of(&host::host(), way).ok_or(Error::Missing)?,
    };
    let config = match way {
        Way::In => device.default_input_config()?,
        Way::Out => device.default_output_config()?,
    };
    let state = Arc::new(State::default());
    let watch = id_of(&device).and_then(|opened| watch(opened, way, id.is_none(), state.clone()));
    Ok(Open {
        name: name_of(&device),
        device,
        config,
        state,
        watch,
    })
}

/// Tells in `state` when the device is gone, or, where the default was chosen, isn't it any more.
/// PulseAudio moves a stream to another device without a word, which nobody chose.
fn watch(opened: DeviceId, way: Way, follows: bool, state: Arc<State>) -> Option<Watch> {
    let watch = Watch::looking(move || {
        let host = host::host();
        let Ok(devices) = host.devices() else { return };
        let mut ids = devices.filter_map(|device| id_of(&device));
        let there = ids.any(|id| id == opened);
        if follows {
            let default = default_of(&host, way).as_ref().and_then(id_of);
            if default.is_some_and(|default| default != opened) {
                state.moved.store(true, Ordering::Release);
            }
        } else if !there {
            let mut failed = state.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert(Error::Lost("gone".into()));
        }
    });
    watch.ok()
}

/// A block at a time where the device can, else as it likes.
fn sizes(config: &SupportedStreamConfig) -> Vec<BufferSize> {
    let block = config.sample_rate() / 100;
    match config.buffer_size() {
        SupportedBufferSize::Range { min, max } => {
            let block = block.clamp(*min, (*max).max(*min));
            vec![BufferSize::Fixed(block), BufferSize::Default]
        }
        SupportedBufferSize::Unknown => vec![BufferSize::Fixed(block), BufferSize::Default],
    }
}

fn stream_config(config: &SupportedStreamConfig, buffer_size: BufferSize) -> StreamConfig {
    StreamConfig {
        channels: config.channels(),
        sample_rate: config.sample_rate(),
        buffer_size,
    }
}

/// Calls a generic function with the type that a device's samples have.
macro_rules! with_format {
    ($format:expr, $function:ident($($argument:expr),*)) => {
        match $format {
            SampleFormat::F32 => $function::<f32>($($argument),*),
            SampleFormat::F64 => $function::<f64>($($argument),*),
            SampleFormat::I8 => $function::<i8>($($argument),*),
            SampleFormat::I16 => $function::<i16>($($argument),*),
            SampleFormat::I24 => $function::<cpal::I24>($($argument),*),
            SampleFormat::I32 => $function::<i32>($($argument),*),
            SampleFormat::U8 => $function::<u8>($($argument),*),
            SampleFormat::U16 => $function::<u16>($($argument),*),
            SampleFormat::U32 => $function::<u32>($($argument),*),
            other => Err(Error::Unsupported(format!("samples of the kind {other}"))),
        }
    };
}

/// A microphone that is open.
pub(super) struct Capture {
    pub(super) name: String,
    pub(super) rate: u32,
    pub(super) samples: Consumer<f32>,
    pub(super) stamps: Consumer<Stamp>,
    pub(super) state: Arc<State>,
    _stream: cpal::Stream,
    _watch: Option<Watch>,
}

impl Capture {
    /// Opens a microphone; each time that it brings samples, `wake` is unparked.
    pub(super) fn open(id: Option<&DeviceId>, wake: &Thread) -> Result<Self, Error> {
        let open = open(id, Way::In)?;
        let rate = open.config.sample_rate();
        let capacity = (rate / 1000 * RING_MS).max(1) as usize;
        let mut last = Error::Missing;
        for size in sizes(&open.config) {
            let (samples, taken) = RingBuffer::new(capacity);
            let (stamps, stamped) = RingBuffer::new(STAMPS);
            let fill = Fill::new(
                samples,
                stamps,
                open.config.channels(),
                rate / 100,
                open.state.clone(),
                wake.clone(),
            );
            let built = with_format!(
                open.config.sample_format(),
                input(&open, stream_config(&open.config, size), fill)
            );
            match built {
                Ok(stream) => {
                    stream.play()?;
                    return Ok(Self {
                        name: open.name,
                        rate,
                        samples: taken,
                        stamps: stamped,
                        state: open.state,
                        _stream: stream,
                        _watch: open.watch,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn input<T>(open: &Open, config: StreamConfig, mut fill: Fill) -> Result<cpal::Stream, Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let state = open.state.clone();
    let stream = open.device.build_input_stream::<T, _, _>(
        config,
        move |data, info| {
            let stamp = info.timestamp();
            let latency = stamp.callback.saturating_duration_since(stamp.capture);
            fill.callback(data, latency, f32::from_sample);
        },
        move |error| state.fail(error),
        Some(OPENING),
    )?;
    Ok(stream)
}

/// A loudspeaker that is open.
pub(super) struct Playback {
    pub(super) name: String,
    pub(super) rate: u32,
    pub(super) samples: Producer<f32>,
    pub(super) state: Arc<State>,
    capacity: usize,
    _stream: cpal::Stream,
    _watch: Option<Watch>,
}

impl Playback {
    /// Opens a loudspeaker; each time that it has taken samples, `wake` is unparked.
    pub(super) fn open(id: Option<&DeviceId>, wake: &Thread) -> Result<Self, Error> {
        let open = open(id, Way::Out)?;
        let rate = open.config.sample_rate();
        let capacity = (rate / 1000 * RING_MS).max(1) as usize;
        let mut last = Error::Missing;
        for size in sizes(&open.config) {
            let (given, samples) = RingBuffer::new(capacity);
            let drain = Drain::new(
                samples,
                open.config.channels(),
                open.state.clone(),
                wake.clone(),
            );
            let built = with_format!(
                open.config.sample_format(),
                output(&open, stream_config(&open.config, size), drain)
            );
            match built {
                Ok(stream) => {
                    stream.play()?;
                    return Ok(Self {
                        name: open.name,
                        rate,
                        samples: given,
                        state: open.state,
                        capacity,
                        _stream: stream,
                        _watch: open.watch,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// How many samples wait to be played.
    pub(super) fn waiting(&self) -> usize {
        self.capacity - self.samples.slots()
    }
}

fn output<T>(open: &Open, config: StreamConfig, mut drain: Drain) -> Result<cpal::Stream, Error>
where
    T: SizedSample + FromSample<f32>,
{
    let state = open.state.clone();
    let stream = open.device.build_output_stream::<T, _, _>(
        config,
        move |data, info| {
            let stamp = info.timestamp();
            let latency = stamp.playback.saturating_duration_since(stamp.callback);
            drain.callback(data, latency, T::from_sample);
        },
        move |error| state.fail(error),
        Some(OPENING),
    )?;
    Ok(stream)
}

/// The thread that is to be woken by a device it opens.
pub(super) fn this_thread() -> Thread {
    thread::current()
}
