//! A network of its own: two machines (network namespaces) with a cable between them.

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::program::Running;

/// Two machines on one cable, gone when this is dropped.
pub struct Lan {
    names: [String; 2],
}

/// A machine's address on the cable, from the range for tests of networks (RFC 2544).
pub const ADDRESSES: [&str; 2] = ["198.18.0.1", "198.18.0.2"];

impl Lan {
    /// Makes it; `None` where this program isn't root.
    pub fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let id = format!(
            "{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let lan = Self {
            names: [format!("visita-a-{id}"), format!("visita-b-{id}")],
        };
        if !ip(&["netns", "add", &lan.names[0]]) {
            return None;
        }
        let [a, b] = &lan.names;
        assert!(ip(&["netns", "add", b]));
        assert!(ip(&[
            "-n", a, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", b
        ]));
        for (name, address) in lan.names.iter().zip(ADDRESSES) {
            assert!(ip(&[
                "-n",
                name,
                "address",
                "add",
                &format!("{address}/24"),
                "dev",
                "eth0"
            ]));
            assert!(ip(&["-n", name, "link", "set", "lo", "up"]));
            assert!(ip(&["-n", name, "link", "set", "eth0", "up"]));
        }
        // The kernel says a second later that the cable is plugged in.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !lan.names.iter().all(|name| is_up(name)) {
            assert!(Instant::now() < deadline, "the cable doesn't come up");
            thread::sleep(Duration::from_millis(20));
        }
        Some(lan)
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

    /// Pulls a machine's plug: it has its loopback only.
    pub fn unplug(&self, machine: usize) {
        assert!(ip(&[
            "-n",
            &self.names[machine],
            "link",
            "set",
            "eth0",
            "down"
        ]));
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
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&["netns", "delete", name]);
        }
    }
}

fn ip(arguments: &[&str]) -> bool {
    Command::new("ip")
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn is_up(machine: &str) -> bool {
    let shown = Command::new("ip")
        .args(["-n", machine, "link", "show", "eth0"])
        .output();
    shown.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("state UP"))
}
