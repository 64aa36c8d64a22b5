//! An emulated link between two machines (network namespaces): as fast, lossy and uneven as a test
//! wants it. The kernels that the tests run on have no netem.
//!
//! [`Way`] is what the link does to packets, and pure; `emulated-link` is the program that carries
//! them between two TUN devices; [`Link`] makes the machines, starts it, and changes the link.

use std::{
    collections::VecDeque,
    fmt,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    str::FromStr,
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::lan::{self, ip, made};

/// How long packets wait for a slow link before one more is thrown away: the buffer of a home
/// router, a fifth of a second.
const MOST_WAIT: Duration = Duration::from_millis(200);
/// Ten packets fit into the buffer of however slow a link: devices count packets, not time.
const LEAST_BUFFER: u64 = 10 * 1500;

/// How a link is, in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Profile {
    /// Bits a second; 0 = as many as come.
    pub rate: u64,
    /// The share of packets that get lost, 0 to 1.
    pub loss: f64,
    /// How long a packet takes, in milliseconds.
    pub delay_ms: u64,
    /// How much longer some take, in milliseconds: evenly spread from nothing to this. Packets stay
    /// in order, as on a radio link that sends again.
    pub jitter_ms: u64,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rate,
            loss,
            delay_ms,
            jitter_ms,
        } = self;
        write!(f, "{rate} {loss} {delay_ms} {jitter_ms}")
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split_whitespace().collect();
        let [rate, loss, delay, jitter] = words[..] else {
            return Err(format!("expected four numbers, not {text:?}"));
        };
        let wrong = |error: &dyn fmt::Display| format!("{text:?}: {error}");
        Ok(Self {
            rate: rate.parse().map_err(|error| wrong(&error))?,
            loss: loss.parse().map_err(|error| wrong(&error))?,
            delay_ms: delay.parse().map_err(|error| wrong(&error))?,
            jitter_ms: jitter.parse().map_err(|error| wrong(&error))?,
        })
    }
}

/// One direction: which packets get lost, and when the others come out.
pub struct Way {
    profile: Profile,
    chance: StdRng,
    /// When the link has sent all that it took, in microseconds.
    free: u64,
    /// When the last packet comes out.
    last: u64,
    /// Until then nothing goes through.
    gap: u64,
    /// Whether UDP is thrown away, as some networks do.
    no_udp: bool,
}

impl Way {
    /// The same seed loses the same packets.
    pub fn new(profile: Profile, seed: u64) -> Self {
        Self {
            profile,
            chance: StdRng::seed_from_u64(seed),
            free: 0,
            last: 0,
            gap: 0,
            no_udp: false,
        }
    }

    /// The link is like this from now on.
    pub fn profile(&mut self, profile: Profile) {
        self.profile = profile;
    }

    /// Until this time, in microseconds, all packets get lost.
    pub fn gap(&mut self, until: u64) {
        self.gap = until;
    }

    /// Whether UDP goes through from now on.
    pub fn udp(&mut self, goes: bool) {
        self.no_udp = !goes;
    }

    /// Whether such an IP packet goes through at all.
    pub fn carries(&self, packet: &[u8]) -> bool {
        /// Where IPv4 says what it holds, and UDP's number there.
        const PROTOCOL: (usize, u8) = (9, 17);
        !(self.no_udp && packet.get(PROTOCOL.0) == Some(&PROTOCOL.1))
    }

    /// A packet of so many bytes comes in; gives when it comes out, in microseconds, unless it is
    /// lost.
    pub fn packet(&mut self, now: u64, bytes: usize) -> Option<u64> {
        let lost = self.chance.random_bool(self.profile.loss);
        let late = self.chance.random_range(0..=self.profile.jitter_ms * 1000);
        if lost || now < self.gap {
            return None;
        }
        let mut sent = now;
        if self.profile.rate > 0 {
            let begin = self.free.max(now);
            let waits = (begin - now) * self.profile.rate / 8_000_000;
            let most = MOST_WAIT.as_micros() as u64 * self.profile.rate / 8_000_000;
            if waits + bytes as u64 > most.max(LEAST_BUFFER) {
                return None;
            }
            sent = begin + bytes as u64 * 8_000_000 / self.profile.rate;
            self.free = sent;
        }
        self.last = self.last.max(sent + self.profile.delay_ms * 1000 + late);
        Some(self.last)
    }
}

/// Packets on their way, in the order in which they come out.
#[derive(Default)]
pub struct Carried(VecDeque<(u64, Vec<u8>)>);

impl Carried {
    /// One that comes out at this time, not before those that were put in earlier.
    pub fn put(&mut self, due: u64, packet: Vec<u8>) {
        self.0.push_back((due, packet));
    }

    /// When the next one comes out.
    pub fn next(&self) -> Option<u64> {
        self.0.front().map(|(due, _)| *due)
    }

    /// The next one, if it comes out by now.
    pub fn take(&mut self, now: u64) -> Option<Vec<u8>> {
        self.next().is_some_and(|due| due <= now).then_some(())?;
        self.0.pop_front().map(|(_, packet)| packet)
    }
}

/// The names of the link's two ends while they are made.
pub const ENDS: [&str; 2] = ["near", "far"];

/// Two machines and the link between them, gone when this is dropped.
pub struct Link {
    machines: [String; 2],
    hub: String,
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Link {
    /// Two machines with the addresses [`lan::ADDRESSES`]. `program` is `emulated-link`. `None`
    /// where networks can't be made and may be left out ([`lan::may_be_made`]).
    pub fn new(program: &Path, profile: Profile) -> Option<Self> {
        let id = lan::unique();
        let hub = format!("visita-link-{id}");
        if !lan::may_be_made(&hub) {
            return None;
        }
        let mut program = Command::new("ip")
            .args(["netns", "exec", &hub])
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(program.stdout.take().unwrap());
        let orders = program.stdin.take().unwrap();
        answered(&mut answers);
        let machines = ENDS.map(|end| format!("visita-{end}-{id}"));
        for ((machine, end), address) in machines.iter().zip(ENDS).zip(lan::ADDRESSES) {
            made(&["netns", "add", machine]);
            made(&["-n", machine, "link", "set", "lo", "up"]);
            made(&["-n", &hub, "link", "set", end, "netns", machine]);
            let address = format!("{address}/24");
            made(&["-n", machine, "address", "add", &address, "dev", end]);
            made(&["-n", machine, "link", "set", end, "up"]);
        }
        let mut link = Self {
            machines,
            hub,
            program,
            orders,
            answers,
        };
        link.profile(profile);
        Some(link)
    }

    /// The link is like this from now on.
    pub fn profile(&mut self, profile: Profile) {
        self.order(&format!("profile {profile}"));
    }

    /// Whether UDP goes through from now on.
    pub fn udp(&mut self, goes: bool) {
        self.order(if goes { "udp on" } else { "udp off" });
    }

    /// Nothing goes through for so long.
    pub fn gap(&mut self, time: Duration) {
        self.order(&format!("gap {}", time.as_millis()));
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
        answered(&mut self.answers);
    }

    /// A command that runs on one of the machines. It becomes the program, so signals reach it.
    pub fn on(&self, machine: usize, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.machines[machine]])
            .arg(program);
        command
    }
}

fn answered(answers: &mut BufReader<ChildStdout>) {
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    assert_eq!(line, "ok\n", "the link doesn't do what it is told");
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
        for name in self.machines.iter().chain([&self.hub]) {
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_clean_way_only_takes_its_time() {
        let profile = Profile {
            delay_ms: 20,
            ..Profile::default()
        };
        let mut way = Way::new(profile, 1);
        for at in [0, 5, 1_000, SECOND] {
            assert_eq!(way.packet(at, 1500), Some(at + 20_000));
        }
        way.gap(2 * SECOND);
        assert_eq!(way.packet(2 * SECOND - 1, 100), None);
        assert_eq!(way.packet(2 * SECOND, 100), Some(2 * SECOND + 20_000));
    }

    #[test]
    fn udp_may_be_thrown_away_alone() {
        let packet = |protocol| {
            let mut packet = [0; 28];
            packet[9] = protocol;
            packet
        };
        let mut way = Way::new(Profile::default(), 1);
        assert!(way.carries(&packet(17)));
        way.udp(false);
        assert!(!way.carries(&packet(17)) && way.carries(&packet(6)));
    }

    #[test]
    fn a_share_gets_lost_and_the_rest_is_uneven_and_in_order() {
        let profile = Profile {
            loss: 0.05,
            delay_ms: 10,
            jitter_ms: 30,
            ..Profile::default()
        };
        let (mut way, mut again) = (Way::new(profile, 7), Way::new(profile, 7));
        let came: Vec<_> = (0..20_000_u64)
            .filter_map(|n| way.packet(n * 10_000, 200).map(|due| (n * 10_000, due)))
            .collect();
        let lost = 20_000 - came.len();
        assert!((800..1_200).contains(&lost), "{lost} of 20,000");
        assert!(came.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        let took = |share: f64| {
            let mut took: Vec<_> = came.iter().map(|(at, due)| due - at).collect();
            took.sort_unstable();
            took[(share * (took.len() - 1) as f64) as usize]
        };
        assert!(took(0.0) < 15_000 && took(1.0) > 38_000 && took(1.0) <= 40_000);
        let repeated: Vec<_> = (0..20_000_u64)
            .filter_map(|n| again.packet(n * 10_000, 200))
            .collect();
        assert!(came.iter().map(|(_, due)| *due).eq(repeated));
    }

    #[test]
    fn a_slow_way_carries_its_rate_and_throws_away_the_rest() {
        let profile = Profile {
            rate: 150_000,
            ..Profile::default()
        };
        let mut way = Way::new(profile, 1);
        // Twice what it carries, for ten seconds.
        let dues: Vec<_> = (0..250_u64)
            .filter_map(|n| way.packet(n * 40_000, 1500).map(|due| due - n * 40_000))
            .collect();
        assert!((125..140).contains(&dues.len()), "{}", dues.len());
        // Ten packets of 80 ms, and its own.
        assert!(dues.iter().all(|took| *took <= 880_000), "{dues:?}");
    }
}
