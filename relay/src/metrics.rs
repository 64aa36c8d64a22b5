//! What the relay counts, for `/metrics`. No label holds anything that a person chose.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use visita_protocol::travel::Travel;

use crate::carrier::Kind;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident: $help:literal,)*) => {
        /// Counters since the start.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $($(#[$doc])* pub(crate) $name: AtomicU64,)*
        }

        impl Counters {
            fn write(&self, text: &mut String) {
                $(
                    let name = concat!("visita_", stringify!($name), "_total");
                    let value = self.$name.load(Relaxed);
                    let _ = write!(text, "# HELP {name} {}\n# TYPE {name} counter\n{name} {value}\n", $help);
                )*
            }
        }
    };
}

counters! {
    connections: "Connections taken.",
    connections_outside: "Connections taken that came from another device.",
    connections_refused: "Connections for which there was no place.",
    handshakes_failed: "TLS handshakes that failed or took too long.",
    requests: "HTTP requests.",
    sessions: "Sessions opened.",
    sessions_resumed: "Sessions resumed over a new connection.",
    sessions_lost: "Sessions that were not resumed in time.",
    chunks_in: "Media chunks received.",
    bytes_in: "Bytes of media received.",
    chunks_out: "Media chunks sent.",
    bytes_out: "Bytes of media sent.",
    frames_dropped: "Media frames that a receiver didn't get: slow, or waiting for a key frame.",
    sound_frames: "Sound frames received.",
    sound_frames_left_out: "Sound frames that weren't forwarded: others in the room spoke.",
    sound_frames_refused: "Sound frames beyond what a participant may send in a second.",
    lanes: "Ways for media over UDP that came up.",
    packets_refused: "UDP packets that were nobody's or couldn't be read.",
    chunks_refused: "Media chunks that broke a rule.",
    messages_refused: "Packets that couldn't be read.",
    key_frame_requests: "Key frames asked of publishers.",
    codes_wrong: "Six digits that led nowhere.",
    codes_refused: "Six digits that weren't looked at: too many wrong ones before.",
    throttled: "Times that a connection had to wait for its rate.",
}

/// What went through the relay since its start, for the program around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of media that participants sent.
    pub bytes_in: u64,
    /// Bytes of media that were sent to participants.
    pub bytes_out: u64,
    /// Connections that came from another device. None in a while can mean a closed firewall.
    pub from_outside: u64,
}

impl Counters {
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic {
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            from_outside: self.connections_outside.load(Relaxed),
        }
    }
}

/// Values of this moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) connections: u64,
    pub(crate) sessions: u64,
    pub(crate) rooms: u64,
    pub(crate) members: u64,
    /// How many sessions' media travels so, by what carries their control.
    pub(crate) ways: BTreeMap<(Kind, Travel), u64>,
}

/// All of it in Prometheus' text format.
pub(crate) fn text(counters: &Counters, gauges: &Gauges) -> String {
    let mut text = String::with_capacity(4096);
    for (name, help, value) in [
        (
            "visita_connections",
            "Connections open now.",
            gauges.connections,
        ),
        (
            "visita_sessions",
            "Sessions now, those that are waited for included.",
            gauges.sessions,
        ),
        ("visita_rooms", "Rooms now.", gauges.rooms),
        ("visita_members", "Members of rooms now.", gauges.members),
    ] {
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"
        );
    }
    text.push_str(concat!(
        "# HELP visita_ways Sessions by what carries their control, over what their media travels, ",
        "and why not over UDP; of those that say it.\n# TYPE visita_ways gauge\n"
    ));
    for ((control, Travel { step, why }), sessions) in &gauges.ways {
        let (control, step, why) = (control.word(), step.word(), why.word());
        let _ = writeln!(
            text,
            r#"visita_ways{{control="{control}",media="{step}",why="{why}"}} {sessions}"#
        );
    }
    counters.write(&mut text);
    text
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Relaxed);
}
