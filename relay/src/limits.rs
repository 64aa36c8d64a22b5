//! How much one may ask for: rates as token buckets, connections as counters.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use visita_protocol::time::Now;

/// A token bucket that may run into debt: what was taken is taken, and the debt is waited off.
/// So nothing that was received is thrown away; the sender's own socket fills instead.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    per_s: f64,
    most: f64,
    tokens: f64,
    at: Now,
}

impl Bucket {
    /// `per_s` tokens a second, at most `burst` seconds' worth of them.
    pub(crate) fn new(per_s: u32, burst: u32, now: Now) -> Self {
        let most = f64::from(per_s) * f64::from(burst);
        Self {
            per_s: f64::from(per_s),
            most,
            tokens: most,
            at: now,
        }
    }

    /// Takes `amount`; returns how long to wait before taking more.
    pub(crate) fn take(&mut self, now: Now, amount: u32) -> Option<Duration> {
        self.refill(now);
        self.tokens -= f64::from(amount);
        (self.tokens < 0.0).then(|| Duration::from_secs_f64(-self.tokens / self.per_s))
    }

    /// Takes `amount` if there is so much, else nothing: for what is let go and not waited for.
    /// Returns whether it did.
    pub(crate) fn try_take(&mut self, now: Now, amount: u32) -> bool {
        self.refill(now);
        let enough = self.tokens >= f64::from(amount);
        if enough {
            self.tokens -= f64::from(amount);
        }
        enough
    }

    /// Whether all that can be saved up is there.
    pub(crate) fn is_full(&mut self, now: Now) -> bool {
        self.refill(now);
        self.tokens >= self.most
    }

    fn refill(&mut self, now: Now) {
        let gained = now.since(self.at).as_secs_f64() * self.per_s;
        self.at = self.at.max(now);
        self.tokens = (self.tokens + gained).min(self.most);
    }
}

/// Counts connections, in all and for each address those that are not yet in a session; those that
/// watch the list of rooms have places of their own, so that they keep nobody from coming back.
#[derive(Debug)]
pub(crate) struct Doors {
    most: u32,
    most_of_address: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: u32,
    of_address: HashMap<IpAddr, u32>,
    watching: HashMap<IpAddr, u32>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    All,
    Address,
}

impl Doors {
    pub(crate) fn new(most: u32, most_of_address: u32) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_of_address,
            counts: Mutex::default(),
        })
    }

    /// A place for a connection from this address, given back when dropped.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let address = network(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.most {
            return Err(Full::All);
        }
        let of_address = counts.of_address.entry(address).or_default();
        if *of_address >= self.most_of_address {
            return Err(Full::Address);
        }
        *of_address += 1;
        counts.all += 1;
        Ok(Place {
            doors: self.clone(),
            standing: Mutex::new(Standing::Coming(address)),
        })
    }

    pub(crate) fn open(&self) -> u32 {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .all
    }
}

impl Counts {
    fn release(&mut self, standing: Standing) {
        let (places, address) = match standing {
            Standing::Coming(address) => (&mut self.of_address, address),
            Standing::Watching(address) => (&mut self.watching, address),
            Standing::Inside => return,
        };
        if let Some(count) = places.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                places.remove(&address);
            }
        }
    }
}

/// What a connection counts as.
#[derive(Clone, Copy, Debug)]
enum Standing {
    /// One that isn't in a session yet, from this address.
    Coming(IpAddr),
    /// One that is told the list of rooms, from this address.
    Watching(IpAddr),
    /// A session's.
    Inside,
}

/// One connection's place.
#[derive(Debug)]
pub(crate) struct Place {
    doors: Arc<Doors>,
    standing: Mutex<Standing>,
}

impl Place {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.doors
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection is in a session now: its address may open another.
    pub(crate) fn established(&self) {
        let before = std::mem::replace(&mut *self.standing(), Standing::Inside);
        self.counts().release(before);
    }

    /// The connection watches the list of rooms now: half as many may do so from one address as may
    /// come from there.
    pub(crate) fn watches(&self) -> Result<(), Full> {
        let mut standing = self.standing();
        let Standing::Coming(address) = *standing else {
            return Ok(());
        };
        let mut counts = self.counts();
        let watching = counts.watching.entry(address).or_default();
        if *watching >= self.doors.most_of_address / 2 {
            return Err(Full::Address);
        }
        *watching += 1;
        counts.release(*standing);
        *standing = Standing::Watching(address);
        Ok(())
    }

    /// Counts for the address that a trusted proxy named instead of for the proxy's.
    pub(crate) fn belongs_to(&self, address: IpAddr) -> Result<(), Full> {
        let address = network(address);
        let mut standing = self.standing();
        let Standing::Coming(before) = *standing else {
            return Ok(());
        };
        if before == address {
            return Ok(());
        }
        let mut counts = self.counts();
        let of_address = counts.of_address.entry(address).or_default();
        if *of_address >= self.doors.most_of_address {
            return Err(Full::Address);
        }
        *of_address += 1;
        counts.release(*standing);
        *standing = Standing::Coming(address);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.established();
        self.counts().all -= 1;
    }
}

/// What an address has in the hub: its sessions, and the rooms that it made lately.
#[derive(Debug)]
pub(crate) struct Neighbours {
    most: u32,
    rooms_per_minute: u32,
    of_address: HashMap<IpAddr, Neighbour>,
}

#[derive(Debug, Default)]
struct Neighbour {
    sessions: u32,
    /// When it made rooms, oldest first.
    rooms: VecDeque<Now>,
}

/// For how long a room that was made counts.
const MINUTE: Duration = Duration::from_mins(1);

impl Neighbours {
    pub(crate) fn new(most: u32, rooms_per_minute: u32) -> Self {
        Self {
            most,
            rooms_per_minute,
            of_address: HashMap::new(),
        }
    }

    /// Whether a session may be opened from there.
    pub(crate) fn has_room(&self, address: IpAddr) -> bool {
        let of_address = self.of_address.get(&network(address));
        of_address.is_none_or(|neighbour| neighbour.sessions < self.most)
    }

    /// A session was opened from there.
    pub(crate) fn came(&mut self, address: IpAddr) {
        self.of_address
            .entry(network(address))
            .or_default()
            .sessions += 1;
    }

    /// A session from there is over.
    pub(crate) fn went(&mut self, address: IpAddr) {
        if let Some(neighbour) = self.of_address.get_mut(&network(address)) {
            neighbour.sessions = neighbour.sessions.saturating_sub(1);
        }
    }

    /// Whether a room may be made from there; if so, it counts.
    pub(crate) fn may_make_room(&mut self, now: Now, address: IpAddr) -> bool {
        let neighbour = self.of_address.entry(network(address)).or_default();
        neighbour.forget(now);
        let may = neighbour.rooms.len() < self.rooms_per_minute as usize;
        if may {
            neighbour.rooms.push_back(now);
        }
        may
    }

    /// Forgets addresses of which nothing counts any more.
    pub(crate) fn tick(&mut self, now: Now) {
        self.of_address.retain(|_, neighbour| {
            neighbour.forget(now);
            neighbour.sessions > 0 || !neighbour.rooms.is_empty()
        });
    }
}

impl Neighbour {
    fn forget(&mut self, now: Now) {
        while self
            .rooms
            .front()
            .is_some_and(|&at| now.since(at) >= MINUTE)
        {
            self.rooms.pop_front();
        }
    }
}

/// One IPv6 customer has a whole /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_in_and_then_its_rate() {
        let mut bucket = Bucket::new(10, 2, Now(0));
        assert!((0..20).all(|_| bucket.take(Now(0), 1).is_none()));
        assert_eq!(bucket.take(Now(0), 1), Some(Duration::from_millis(100)));
        assert_eq!(bucket.take(Now(200_000), 1), None);
        assert!((0..20).all(|_| bucket.take(Now(60_000_000), 1).is_none()));
        assert!(
            bucket.take(Now(60_000_000), 1).is_some(),
            "no more than the burst is saved up"
        );
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let doors = Doors::new(3, 2);
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let first = doors.enter(a).unwrap();
        let _second = doors.enter("::ffff:10.0.0.1".parse().unwrap()).unwrap();
        assert_eq!(doors.enter(a).unwrap_err(), Full::Address);
        first.established();
        first.established();
        let third = doors.enter(a).unwrap();
        assert_eq!(doors.enter(b).unwrap_err(), Full::All);
        drop(third);
        drop(first);
        assert_eq!(doors.open(), 1);
        let moved = doors.enter(b).unwrap();
        moved.belongs_to(a).unwrap();
        assert_eq!(doors.enter(a).unwrap_err(), Full::Address);
        drop(moved);
        assert!(doors.enter(a).is_ok());
    }

    #[test]
    fn who_watches_the_rooms_keeps_nobody_from_coming() {
        let doors = Doors::new(99, 4);
        let a: IpAddr = "10.0.0.1".parse().unwrap();
        let watching: Vec<_> = (0..2).map(|_| doors.enter(a).unwrap()).collect();
        assert!(watching.iter().all(|place| place.watches().is_ok()));
        let coming: Vec<_> = (0..4).map(|_| doors.enter(a).unwrap()).collect();
        assert_eq!(doors.enter(a).unwrap_err(), Full::Address);
        assert_eq!(coming[0].watches(), Err(Full::Address), "half of them");
        drop(watching);
        assert_eq!(doors.enter(a).unwrap_err(), Full::Address);
        coming[0].watches().unwrap();
        assert!(doors.enter(a).is_ok());
        drop(coming);
        assert_eq!(doors.open(), 0);
        let counts = doors.counts.lock().unwrap();
        assert!(counts.of_address.is_empty() && counts.watching.is_empty());
    }

    #[test]
    fn an_address_has_so_many_sessions_and_new_rooms() {
        let mut neighbours = Neighbours::new(2, 1);
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let later = Now(60_000_000);
        neighbours.came(a);
        neighbours.came(a);
        assert!(!neighbours.has_room(a) && neighbours.has_room(b));
        neighbours.went(a);
        assert!(neighbours.has_room(a));
        neighbours.went(a);
        assert!(neighbours.may_make_room(Now(0), a));
        neighbours.tick(Now(1));
        assert!(!neighbours.may_make_room(Now(1), a), "going doesn't help");
        assert!(neighbours.may_make_room(Now(1), b));
        assert!(neighbours.may_make_room(later, a));
        neighbours.tick(later.plus(MINUTE));
        assert!(neighbours.of_address.is_empty());
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let doors = Doors::new(9, 1);
        let _one = doors.enter("2001:db8::1".parse().unwrap()).unwrap();
        assert_eq!(
            doors.enter("2001:db8::2".parse().unwrap()).unwrap_err(),
            Full::Address
        );
        assert!(doors.enter("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }
}
