//! A network of its own: machines (network namespaces) on one or more cables, none of which leads
//! to the machine's own network.

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::program::Running;

/// Machines and the cables between them, gone when this is dropped.
pub struct Lan {
    names: Vec<String>,
    hub: String,
}

/// The addresses of the first two machines on the first cable, from the range for tests of
/// networks (RFC 2544).
pub const ADDRESSES: [&str; 2] = ["198.18.0.1", "198.18.0.2"];

/// Set where tests of networks may be left out.
const ALLOW_SKIP: &str = "VISITA_ALLOW_SKIP";

impl Lan {
    /// Two machines on one cable.
    pub fn new() -> Option<Self> {
        Self::of(&[&[0], &[0]])
    }

    /// Machines, each on the cables of these numbers. `None` where networks can't be made and may
    /// be left out ([`may_be_made`]).
    pub fn of(machines: &[&[usize]]) -> Option<Self> {
        let id = unique();
        let mut lan = Self {
            names: Vec::new(),
            hub: format!("visita-hub-{id}"),
        };
        if !may_be_made(&lan.hub) {
            return None;
        }
        let cables = machines
            .iter()
            .copied()
            .flatten()
            .max()
            .map_or(0, |most| most + 1);
        for cable in 0..cables {
            let bridge = format!("br{cable}");
            made(&[
                "-n",
                &lan.hub,
                "link",
                "add",
                &bridge,
                "type",
                "bridge",
                "mcast_snooping",
                "0",
            ]);
            made(&["-n", &lan.hub, "link", "set", &bridge, "up"]);
        }
        for (machine, cables) in machines.iter().enumerate() {
            let name = format!("visita-{machine}-{id}");
            made(&["netns", "add", &name]);
            made(&["-n", &name, "link", "set", "lo", "up"]);
            lan.names.push(name);
            for &cable in *cables {
                lan.plug_in(machine, cable);
            }
        }
        // The kernel says a second later that the cables are plugged in.
        let deadline = Instant::now() + Duration::from_secs(30);
        for (machine, cables) in machines.iter().enumerate() {
            for &cable in *cables {
                while !lan.is_up(machine, cable) {
                    assert!(Instant::now() < deadline, "the cable doesn't come up");
                    thread::sleep(Duration::from_millis(20));
                }
            }
        }
        Some(lan)
    }

    fn plug_in(&self, machine: usize, cable: usize) {
        let (name, port) = (&self.names[machine], format!("m{machine}c{cable}"));
        let (interface, bridge) = (format!("eth{cable}"), format!("br{cable}"));
        made(&[
            "-n", &self.hub, "link", "add", "name", &port, "type", "veth", "peer", "name",
            &interface, "netns", name,
        ]);
        made(&[
            "-n", &self.hub, "link", "set", &port, "master", &bridge, "up",
        ]);
        let address = format!("{}/24", Self::address(machine, cable));
        made(&["-n", name, "address", "add", &address, "dev", &interface]);
        made(&["-n", name, "link", "set", &interface, "up"]);
    }

    /// A machine's address on a cable.
    pub fn address(machine: usize, cable: usize) -> String {
        format!("198.18.{cable}.{}", machine + 1)
    }

    /// Starts a program on one of the machines.
    pub fn start(&self, machine: usize, program: &Path, arguments: &[&str]) -> Running {
        let mut command = Command::new("ip");
        // `ip netns exec` becomes the program, so signals reach it.
        command
            .args(["netns", "exec", &self.names[machine]])
            .arg(program)
            .args(arguments);
        Running::start(&mut command)
    }

    /// Pulls a machine's plug out of a cable.
    pub fn unplug(&self, machine: usize, cable: usize) {
        let interface = format!("eth{cable}");
        made(&[
            "-n",
            &self.names[machine],
            "link",
            "set",
            &interface,
            "down",
        ]);
    }

    /// How many UDP datagrams a machine's programs sent so far, on all its interfaces.
    pub fn datagrams(&self, machine: usize) -> u64 {
        let read = |path: &str| {
            let running = self.start(machine, Path::new("cat"), &[path]);
            String::from_utf8(running.wait().stdout).unwrap()
        };
        let (four, six) = (read("/proc/net/snmp"), read("/proc/net/snmp6"));
        // The second line that begins with "Udp:" has the numbers; the fifth word is OutDatagrams.
        let four = four
            .lines()
            .filter(|line| line.starts_with("Udp:"))
            .nth(1)
            .unwrap();
        let six = six
            .lines()
            .find(|line| line.starts_with("Udp6OutDatagrams"))
            .unwrap();
        let word = |line: &str, n: usize| {
            line.split_whitespace()
                .nth(n)
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        word(four, 4) + word(six, 1)
    }

    fn is_up(&self, machine: usize, cable: usize) -> bool {
        let interface = format!("eth{cable}");
        ip(&["-n", &self.names[machine], "link", "show", &interface])
            .is_ok_and(|shown| shown.contains("state UP"))
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in self.names.iter().chain([&self.hub]) {
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

/// A name's end that no other network of this machine has.
pub(crate) fn unique() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}", std::process::id())
}

/// Makes the first machine of a network. `false` where this program can't make networks and that
/// was allowed; without the permission the test fails, because a test that isn't run shows nothing.
pub(crate) fn may_be_made(hub: &str) -> bool {
    let Err(why) = ip(&["netns", "add", hub]) else {
        return true;
    };
    let words = format!(
        "network namespaces can't be made here ({why}); run this as root or by scripts/test, \
         which makes a user namespace, or set {ALLOW_SKIP}=1 to leave it out"
    );
    assert!(
        std::env::var_os(ALLOW_SKIP).is_some_and(|set| set == "1"),
        "{words}"
    );
    eprintln!("NOT RUN: {words}");
    false
}

pub(crate) fn made(arguments: &[&str]) {
    ip(arguments).unwrap();
}

/// What `ip` says, or why it failed.
pub(crate) fn ip(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
