//! The one clock of sound and picture.

use visita_protocol::{id::ClockId, time::MediaTime};

/// The time now, in microseconds on the machine's monotonic clock: on one machine the same for
/// every process, so that a delay between two of them is a subtraction.
#[cfg(unix)]
pub fn now() -> MediaTime {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    MediaTime(time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000)
}

/// The time now, in microseconds since the process first asked.
#[cfg(not(unix))]
pub fn now() -> MediaTime {
    use std::{sync::OnceLock, time::Instant};

    static START: OnceLock<Instant> = OnceLock::new();
    MediaTime(START.get_or_init(Instant::now).elapsed().as_micros() as u64)
}

/// What [`now`] is counted on: equal for two processes only if their times can be compared.
/// `None` where that isn't known, and then no delay can be told.
pub fn id() -> Option<ClockId> {
    #[cfg(target_os = "linux")]
    {
        // A process in a time namespace has an origin of its own, so the namespace belongs in.
        let boot = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = std::fs::read_link("/proc/self/ns/time").unwrap_or_default();
        let namespace = namespace.as_os_str().as_encoded_bytes();
        Some(ClockId(
            hash(boot.iter().chain(namespace).copied()).to_be_bytes(),
        ))
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
    }
}

/// FNV-1a with a final mix (splitmix64's): the same in every build, unlike `std`'s hasher.
#[cfg(target_os = "linux")]
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    let sum = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (sum ^ (sum >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back() {
        let times: Vec<_> = (0..1000).map(|_| now()).collect();
        assert!(times.is_sorted());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn one_machine_has_one_clock() {
        assert!(id().is_some());
        assert_eq!(id(), id());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn other_boots_have_other_clocks() {
        assert_ne!(
            hash(b"a-boot".iter().copied()),
            hash(b"b-boot".iter().copied())
        );
    }
}
