//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use visita_client::{address::HostUrl, trust};
use visita_media::{
    sound::{listen::Output, source::Choice as Audio},
    source::Choice,
};
use visita_protocol::{
    control::Role,
    error::Code,
    id::Fingerprint,
    media::{Codec, Size},
    name::{PersonName, RoomName},
    way::Policy,
};

/// A Visita participant without a window, for demonstrations, tests and load.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Take part in a room.
    Join(Box<Join>),
    /// List a host's rooms, one line of JSON each.
    Rooms(Rooms),
    /// Look for hosts on this network and list them, one line of JSON each.
    Hosts(Hosts),
}

#[derive(Args)]
#[command(group = ArgGroup::new("whom").required(true).args(["host", "discover"]))]
pub(crate) struct Join {
    /// The host's address, such as 192.0.2.5 or https://192.0.2.5:3000.
    #[arg(long)]
    pub(crate) host: Option<HostUrl>,
    /// The ward's fingerprint that the host must show; without it, the one remembered for this
    /// address, and on first use any, which is then remembered.
    #[arg(long, requires = "host", value_name = "SHA256", value_parser = fingerprint)]
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Take the first host found on this network.
    #[arg(long)]
    pub(crate) discover: bool,
    /// The room's name.
    #[arg(long, value_parser = room)]
    pub(crate) room: RoomName,
    /// Make the room if there is none of this name.
    #[arg(long)]
    pub(crate) create: bool,
    /// What the person is called.
    #[arg(long, value_parser = person)]
    pub(crate) name: PersonName,
    /// Who the person is.
    #[arg(long, value_enum, default_value = "guest")]
    pub(crate) role: RoleArg,
    /// Where trusted hosts are remembered; by default the system's directory for application
    /// state.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// camera, camera:ID, synthetic[:WxH@FPS], file:PATH or none.
    #[arg(long, value_parser = choice)]
    pub(crate) video: Choice,
    /// mic, mic:ID, tone:HZ, file:PATH (WAV, or anything that the ffmpeg program reads) or none.
    #[arg(long, value_parser = audio, default_value = "none")]
    pub(crate) audio: Audio,
    /// Where everybody is heard: device, device:ID or none. What isn't played is decoded and
    /// measured all the same; nothing is written to disk.
    #[arg(long, value_name = "WHERE", value_parser = play, default_value = "none")]
    pub(crate) play_audio: Output,
    /// Cancel echo, suppress noise and control the gain: on for a microphone, off for a tone and a
    /// file, which enter behind it, unless this says otherwise.
    #[arg(long, value_name = "on|off", num_args = 0..=1, require_equals = true, default_missing_value = "on", value_enum)]
    pub(crate) process: Option<Switch>,
    /// Over what media goes: ws, a WebSocket; webrtc, UDP whenever it works; auto, UDP when the line
    /// loses or jitters. Control always has the WebSocket.
    #[arg(long, value_enum, default_value = "ws")]
    pub(crate) carrier: CarrierArg,
    /// Leave after so many seconds in the room.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) duration: Option<Duration>,
    /// Print what was measured, as one line.
    #[arg(long, value_enum)]
    pub(crate) report: Option<ReportFormat>,
    /// Print a report each so many seconds too, for tests.
    #[arg(long, hide = true, value_name = "S", value_parser = period, requires = "report")]
    pub(crate) report_every: Option<Duration>,
    /// The codecs asked for, for tests: h264, vp8, jpeg, opus.
    #[arg(long, hide = true, value_delimiter = ',', value_parser = codec)]
    pub(crate) decodes: Option<Vec<Codec>>,
    /// Print when each frame was where, one line each before the report, for measurements.
    #[arg(long, hide = true)]
    pub(crate) stamps: bool,
    /// Count what comes instead of decoding it, for load.
    #[arg(long, hide = true)]
    pub(crate) no_decode: bool,
    /// The size asked for, WxH or none; full size without it.
    #[arg(long, hide = true, value_parser = size)]
    pub(crate) watch: Option<WatchArg>,
    /// How long a lost session is tried to be resumed, for tests.
    #[arg(long, hide = true, value_name = "S", value_parser = seconds, env = "VISITA_RESUME_WITHIN_S")]
    pub(crate) resume_within: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct Rooms {
    /// The host's address.
    #[arg(long)]
    pub(crate) host: HostUrl,
    /// The ward's fingerprint that the host must show.
    #[arg(long, value_name = "SHA256", value_parser = fingerprint)]
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Where trusted hosts are remembered.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Hosts {
    /// How long to look.
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "3")]
    pub(crate) seconds: Duration,
    /// Print the whole list whenever it changes, as one line, for tests.
    #[arg(long, hide = true)]
    pub(crate) changes: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RoleArg {
    Staff,
    Bedside,
    Family,
    Guest,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Role {
        match role {
            RoleArg::Staff => Role::Staff,
            RoleArg::Bedside => Role::Bedside,
            RoleArg::Family => Role::Family,
            RoleArg::Guest => Role::Guest,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum CarrierArg {
    Ws,
    Webrtc,
    Auto,
}

impl From<CarrierArg> for Policy {
    fn from(carrier: CarrierArg) -> Policy {
        match carrier {
            CarrierArg::Ws => Policy::Ws,
            CarrierArg::Webrtc => Policy::Webrtc,
            CarrierArg::Auto => Policy::Auto,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ReportFormat {
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

impl Join {
    /// Whether sound is processed.
    pub(crate) fn processes(&self) -> bool {
        match self.process {
            Some(switch) => switch == Switch::On,
            None => matches!(self.audio, Audio::Microphone(_)),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct WatchArg(pub(crate) Option<Size>);

fn fingerprint(text: &str) -> Result<Fingerprint, &'static str> {
    trust::parse_fingerprint(text)
        .ok_or("expected 64 hexadecimal digits, with or without sha256: before them")
}

fn room(text: &str) -> Result<RoomName, Code> {
    RoomName::new(text)
}

fn person(text: &str) -> Result<PersonName, Code> {
    PersonName::new(text)
}

fn choice(text: &str) -> Result<Choice, String> {
    text.parse::<Choice>().map_err(|error| error.to_string())
}

fn audio(text: &str) -> Result<Audio, String> {
    text.parse::<Audio>().map_err(|error| error.to_string())
}

fn play(text: &str) -> Result<Output, String> {
    text.parse::<Output>().map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text
        .parse::<f64>()
        .map_err(|_| "expected a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "expected a number of seconds, not below zero")
}

fn period(text: &str) -> Result<Duration, &'static str> {
    seconds(text).and_then(|period| match period {
        Duration::ZERO => Err("expected a number of seconds above zero"),
        period => Ok(period),
    })
}

fn codec(text: &str) -> Result<Codec, &'static str> {
    match text {
        "h264" => Ok(Codec::H264),
        "vp8" => Ok(Codec::Vp8),
        "jpeg" => Ok(Codec::Jpeg),
        "opus" => Ok(Codec::Opus),
        _ => Err("expected h264, vp8, jpeg or opus"),
    }
}

fn size(text: &str) -> Result<WatchArg, &'static str> {
    if text == "none" {
        return Ok(WatchArg(None));
    }
    let size = text
        .split_once('x')
        .and_then(|(w, h)| Some(Size::new(w.parse().ok()?, h.parse().ok()?)));
    size.map(|size| WatchArg(Some(size)))
        .ok_or("expected WxH or none")
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOIN: &str = "join --host 192.0.2.5 --room Room --name Ana --video none";

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("visita-client").chain(line.split(' ')))
    }

    #[test]
    fn the_contracts_lines_are_understood() {
        for line in [
            JOIN.to_owned(),
            format!("{JOIN} --create --role bedside --state /tmp --duration 20 --report json"),
            format!("{JOIN} --fingerprint sha256:{}", "ab".repeat(32)),
            JOIN.replace("--host 192.0.2.5", "--discover"),
            JOIN.replace("none", "synthetic:640x360@30"),
            JOIN.replace("none", "file:clip.y4m"),
            format!("{JOIN} --audio mic --play-audio device"),
            format!("{JOIN} --audio tone:440 --play-audio none --process"),
            format!("{JOIN} --process --audio file:speech.wav"),
            format!("{JOIN} --audio none"),
            "rooms --host https://192.0.2.5:3000".into(),
            "hosts".into(),
            "hosts --seconds 1.5".into(),
        ] {
            assert!(
                parse(&line).is_ok(),
                "{line}: {}",
                parse(&line).err().unwrap()
            );
        }
    }

    #[test]
    fn a_microphone_is_processed_and_what_stands_for_one_is_not_unless_it_is_said() {
        for (more, processes) in [
            ("", false),
            (" --audio mic", true),
            (" --audio mic --process=off", false),
            (" --audio tone:440", false),
            (" --audio file:a.wav --process", true),
            (" --audio tone:440 --process=on", true),
        ] {
            let Command::Join(join) = parse(&format!("{JOIN}{more}")).unwrap().command else {
                panic!("it joins")
            };
            assert_eq!(join.processes(), processes, "{more}");
        }
    }

    #[test]
    fn wrong_usage_is_2() {
        for line in [
            String::new(),
            "join".into(),
            JOIN.replace("--host 192.0.2.5 ", ""),
            format!("{JOIN} --discover"),
            format!("{JOIN} --fingerprint sha256:12"),
            format!("{JOIN} --duration -1"),
            format!("{JOIN} --role doctor"),
            format!("{JOIN} --report xml"),
            JOIN.replace("none", "webcam"),
            format!("{JOIN} --audio tone"),
            format!("{JOIN} --audio"),
            format!("{JOIN} --play-audio file:a.wav"),
            format!("{JOIN} --process=perhaps"),
            JOIN.replace("192.0.2.5", "http://192.0.2.5"),
            JOIN.replace("Ana", &"x".repeat(10_000)),
            "rooms".into(),
        ] {
            let error = parse(&line).err();
            assert_eq!(error.map(|error| error.exit_code()), Some(2), "{line}");
        }
    }
}
