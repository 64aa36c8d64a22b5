//! Carries packets between two TUN devices as an emulated link does (`visita_tests::link`). It is
//! told by lines how the link is: `profile RATE LOSS DELAY JITTER`, `gap MS` and `udp on|off`; each is answered
//! with `ok`, as is its own start. It ends with its standard input.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    io::{BufRead as _, stdin},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use tun_rs::{DeviceBuilder, SyncDevice};
use visita_tests::link::{Carried, ENDS, Profile, Way};

/// One direction, and what is on its way.
struct Direction {
    way: Mutex<Way>,
    carried: Mutex<Carried>,
    came: Condvar,
    begin: Instant,
}

impl Direction {
    fn new(begin: Instant, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            way: Mutex::new(Way::new(Profile::default(), seed)),
            carried: Mutex::default(),
            came: Condvar::new(),
            begin,
        })
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_micros() as u64
    }

    fn take_in(&self, from: &SyncDevice) {
        let mut packet = vec![0; 65_536];
        while let Ok(bytes) = from.recv(&mut packet) {
            let mut way = self.way.lock().unwrap();
            if !way.carries(&packet[..bytes]) {
                continue;
            }
            let due = way.packet(self.now(), bytes);
            drop(way);
            if let Some(due) = due {
                self.carried
                    .lock()
                    .unwrap()
                    .put(due, packet[..bytes].to_vec());
                self.came.notify_one();
            }
        }
    }

    fn give_out(&self, to: &SyncDevice) {
        let mut carried = self.carried.lock().unwrap();
        loop {
            let now = self.now();
            if let Some(packet) = carried.take(now) {
                drop(carried);
                // An end that isn't up takes nothing.
                let _ = to.send(&packet);
                carried = self.carried.lock().unwrap();
                continue;
            }
            let wait = carried.next().map_or(u64::MAX / 4, |due| due - now);
            let wait = Duration::from_micros(wait.min(60_000_000));
            carried = self.came.wait_timeout(carried, wait).unwrap().0;
        }
    }
}

fn main() {
    let devices = ENDS.map(|end| {
        let device = DeviceBuilder::new().name(end).mtu(1500).enable(false);
        Arc::new(device.build_sync().unwrap())
    });
    let begin = Instant::now();
    let directions = [Direction::new(begin, 1), Direction::new(begin, 2)];
    for (number, direction) in directions.iter().enumerate() {
        let (from, to) = (devices[number].clone(), devices[1 - number].clone());
        let (takes, gives) = (direction.clone(), direction.clone());
        thread::spawn(move || takes.take_in(&from));
        thread::spawn(move || gives.give_out(&to));
    }
    println!("ok");
    for line in stdin().lock().lines() {
        let line = line.unwrap();
        let (order, rest) = line.split_once(' ').unwrap();
        for direction in &directions {
            let mut way = direction.way.lock().unwrap();
            match order {
                "profile" => way.profile(rest.parse().unwrap()),
                "gap" => way.gap(direction.now() + rest.parse::<u64>().unwrap() * 1000),
                "udp" => way.udp(rest == "on"),
                other => panic!("there is no order {other:?}"),
            }
        }
        println!("ok");
    }
}
