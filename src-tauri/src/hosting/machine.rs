//! What this device has to do, and on what it runs, as the system tells it.

use visita_relay::Addresses;

use serde::Serialize;

/// What was measured at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// All cores, in percent of what they could do, where the system says so.
    pub processor: Option<u8>,
    /// The memory that programs hold, in percent, where the system says so.
    pub memory: Option<u8>,
    /// What it has of a battery.
    pub battery: Batteries,
}

/// What a device has of a battery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Batteries {
    /// The system doesn't say.
    #[default]
    Unknown,
    /// None: it runs as long as there is current.
    None,
    /// One, or several that are charged together.
    Some(Battery),
}

impl Batteries {
    /// The battery, if one is known.
    pub(crate) fn known(self) -> Option<Battery> {
        match self {
            Self::Some(battery) => Some(battery),
            Self::Unknown | Self::None => None,
        }
    }
}

/// A battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Battery {
    /// How full it is.
    pub percent: u8,
    /// Whether the device is plugged in; `None` when the system doesn't say.
    pub plugged: Option<bool>,
}

/// Whether the device is plugged in. The page has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// It has no battery: it runs as long as there is current.
    Mains,
    /// It has one, and is plugged in.
    Plugged,
    /// It isn't.
    Battery,
    /// It doesn't say.
    Unknown,
}

impl Sample {
    /// Whether the device is plugged in.
    pub(crate) fn power(self) -> Power {
        match self.battery {
            Batteries::Unknown => Power::Unknown,
            Batteries::None => Power::Mains,
            Batteries::Some(battery) => match battery.plugged {
                Some(true) => Power::Plugged,
                Some(false) => Power::Battery,
                None => Power::Unknown,
            },
        }
    }
}

/// A network that this device is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Network {
    /// What the system calls the interface.
    pub interface: String,
    /// This device's address there.
    pub address: String,
    /// How it is connected.
    pub kind: Kind,
}

/// How a device is connected to a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// By radio.
    Wifi,
    /// By cable.
    Cable,
    /// The system doesn't say.
    Other,
}

/// The networks on which others may reach this device, best first.
pub(crate) fn networks(addresses: &Addresses) -> Vec<Network> {
    let mut networks: Vec<Network> = Vec::new();
    for address in addresses.reachable() {
        // One interface is one network, whatever number of addresses it has.
        if !networks
            .iter()
            .any(|known| known.interface == address.interface)
        {
            networks.push(Network {
                kind: kind(&address.interface),
                address: address.ip.to_string(),
                interface: address.interface,
            });
        }
    }
    networks
}

#[cfg(target_os = "linux")]
fn kind(interface: &str) -> Kind {
    let folder = std::path::Path::new("/sys/class/net").join(interface);
    if folder.join("wireless").exists() || folder.join("phy80211").exists() {
        Kind::Wifi
    } else if std::fs::read_to_string(folder.join("type")).is_ok_and(|kind| kind.trim() == ETHERNET)
    {
        Kind::Cable
    } else {
        Kind::Other
    }
}

/// `ARPHRD_ETHER`, as `/sys/class/net/*/type` writes it.
#[cfg(target_os = "linux")]
const ETHERNET: &str = "1";

#[cfg(not(target_os = "linux"))]
fn kind(_interface: &str) -> Kind {
    Kind::Other
}

#[cfg(desktop)]
pub(crate) use measured::Meter;

#[cfg(desktop)]
mod measured {
    use starship_battery::{State, units::ratio::percent};
    use sysinfo::System;

    use super::{Batteries, Battery, Sample};

    /// Measures. A processor's load is that since the last time.
    pub(crate) struct Meter {
        system: System,
        /// `None` where the system tells nothing of batteries.
        batteries: Option<starship_battery::Manager>,
    }

    impl Meter {
        pub(crate) fn new() -> Self {
            let batteries = starship_battery::Manager::new()
                .inspect_err(|error| tracing::info!(%error, "nothing is known of a battery"))
                .ok();
            Self {
                system: System::new(),
                batteries,
            }
        }

        pub(crate) fn sample(&mut self) -> Sample {
            self.system.refresh_cpu_usage();
            self.system.refresh_memory();
            let (all, free) = (self.system.total_memory(), self.system.available_memory());
            Sample {
                processor: Some(self.system.global_cpu_usage().round().clamp(0.0, 100.0) as u8),
                memory: (100 * all.saturating_sub(free))
                    .checked_div(all)
                    .map(|held| held as u8),
                battery: self.battery().unwrap_or_default(),
            }
        }

        /// The first battery that can be read: tablets and notebooks have one, or two that are
        /// charged together. One that can't be read is no word that there is none.
        fn battery(&self) -> Option<Batteries> {
            let mut batteries = self.batteries.as_ref()?.batteries().ok()?.peekable();
            if batteries.peek().is_none() {
                return Some(Batteries::None);
            }
            let battery = batteries.find_map(Result::ok)?;
            let plugged = match battery.state() {
                // Paused: full enough, by the limit that the system was given.
                State::Charging | State::Full | State::Paused => Some(true),
                State::Discharging | State::Empty => Some(false),
                State::Unknown => None,
            };
            Some(Batteries::Some(Battery {
                percent: battery
                    .state_of_charge()
                    .get::<percent>()
                    .round()
                    .clamp(0.0, 100.0) as u8,
                plugged,
            }))
        }
    }
}

/// Elsewhere the system tells of the battery alone, and by itself (`device.rs`).
#[cfg(mobile)]
pub(crate) struct Meter;

#[cfg(mobile)]
impl Meter {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn sample(&mut self) -> Sample {
        Sample::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_told_as_far_as_it_is_known() {
        let power = |battery| {
            let sample = Sample {
                battery,
                ..Sample::default()
            };
            sample.power()
        };
        let one = |plugged| {
            let percent = 50;
            power(Batteries::Some(Battery { percent, plugged }))
        };
        assert_eq!(power(Batteries::Unknown), Power::Unknown);
        assert_eq!(power(Batteries::None), Power::Mains);
        assert_eq!(one(Some(true)), Power::Plugged);
        assert_eq!(one(Some(false)), Power::Battery);
        assert_eq!(one(None), Power::Unknown);
    }

    #[test]
    fn this_machine_is_measured() {
        let mut meter = Meter::new();
        meter.sample();
        let sample = meter.sample();
        assert!(sample.processor.unwrap() <= 100);
        assert!((1..=100).contains(&sample.memory.unwrap()), "{sample:?}");
    }
}
