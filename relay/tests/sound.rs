//! Sound from one participant to the others: whose is forwarded, who is told to speak, and what a
//! flood of it does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::option_option)]

mod common;

use std::time::{Duration, Instant};

use common::{Guest, MICROPHONE, PATIENCE, Server, chunk, header, microphone, sound};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};
use visita_protocol::{
    control::{ClientMessage, RelayMessage, Role},
    error::Code,
    frame::{Header, References},
    id::MemberId,
    receiver::MAX_SOUND_FRAME,
    sound::{Level, MAX_FRAMES_PER_S},
};

/// As often as a microphone sends a frame.
const FRAME: Duration = Duration::from_millis(20);

/// Shorter than the pause over which a place is kept: what takes less was not a matter of time.
const QUICK: Duration = Duration::from_millis(500);

/// Somebody with a microphone.
struct Person {
    guest: Guest,
    sequence: u32,
}

impl Person {
    async fn join(server: &Server, room: &str, name: &str, role: Role) -> Self {
        let mut guest = server.guest().await;
        guest.try_join_as(room, name, role).await.unwrap();
        let mut person = Self { guest, sequence: 0 };
        person.unmute().await;
        person
    }

    async fn unmute(&mut self) {
        let tracks = vec![microphone()];
        self.guest.send(ClientMessage::Tracks { tracks }).await;
        self.guest.ping().await;
    }

    async fn mute(&mut self) {
        let tracks = vec![];
        self.guest.send(ClientMessage::Tracks { tracks }).await;
        self.guest.ping().await;
    }

    /// Sends a frame, and waits until the relay has handed it out.
    async fn says(&mut self, level: Level) {
        let sequence = self.sequence;
        self.sequence += 1;
        self.guest.binary(sound(sequence, level, b"opus")).await;
        self.guest.ping().await;
    }

    fn member(&self) -> MemberId {
        self.guest.member
    }

    /// How often it was told this, and not in answer to a message.
    fn told(&self, code: Code) -> usize {
        let told = RelayMessage::Error {
            code,
            reply_to: None,
        };
        self.guest.seen.iter().filter(|seen| **seen == told).count()
    }

    /// Waits until it is told.
    async fn is_told(&mut self, code: Code) {
        while self.told(code) == 0 {
            self.guest.ping().await;
        }
    }
}

/// −30 dBov, and voice.
const VOICE: Level = Level::from_byte(0x9e);
const WHISPER: Level = Level::from_byte(72);

/// A bedside, some others, and one who only listens.
struct Room {
    bed: Person,
    others: Vec<Person>,
    listener: Guest,
}

impl Room {
    async fn new(server: &Server, name: &str, others: usize) -> Self {
        let bed = Person::join(server, name, "Tablet", Role::Bedside).await;
        let mut people = Vec::new();
        for index in 0..others {
            let person = format!("Person {index}");
            people.push(Person::join(server, name, &person, Role::Family).await);
        }
        let listener = server.member(name, "Listener").await;
        Self {
            bed,
            others: people,
            listener,
        }
    }

    /// Each of these sends a frame of voice, in turn; gives whose reached the one who listens.
    async fn round(&mut self, speak: &[usize]) -> Vec<usize> {
        sleep(FRAME).await;
        for &person in speak {
            self.others[person].says(VOICE).await;
        }
        // The bedside's comes last, and always.
        self.bed.says(WHISPER).await;
        let mut heard = Vec::new();
        loop {
            let (header, _) = self.listener.chunk().await;
            if header.sender == self.bed.member() {
                return heard;
            }
            let of = |person: &Person| person.member() == header.sender;
            heard.push(self.others.iter().position(of).expect("whose?"));
        }
    }

    /// Until somebody is the active speaker, who is heard all the while.
    async fn until_told(&mut self, speaks: usize) {
        let speaker = self.others[speaks].member();
        let told = RelayMessage::Speaker {
            member: Some(speaker),
        };
        let speaking = async {
            while !self.listener.seen.contains(&told) {
                self.round(&[speaks]).await;
            }
        };
        timeout(PATIENCE, speaking).await.expect("nobody is told");
    }
}

fn speaker(message: &RelayMessage) -> Option<Option<MemberId>> {
    match message {
        RelayMessage::Speaker { member } => Some(*member),
        _ => None,
    }
}

async fn counted(server: &Server, name: &str) -> u64 {
    let metrics = server.get("/metrics", &[]).await;
    let line = |line: &str| {
        let value = line.strip_prefix(name)?.strip_prefix(' ')?;
        value.parse().ok()
    };
    metrics.text().lines().find_map(line).unwrap()
}

/// Seven people. `None` if the machine was so slow that who spoke last had stopped long ago.
async fn follows(server: &Server, name: &str) -> Option<()> {
    let mut room = Room::new(server, name, 5).await;
    let began = Instant::now();
    for _ in 0..3 {
        let heard = room.round(&[0, 1, 2, 3]).await;
        if began.elapsed() > QUICK {
            return None;
        }
        assert_eq!(heard, [0, 1, 2]);
    }
    // One of them is done; the one who waited is heard, some time later.
    let waited = timeout(PATIENCE, async {
        loop {
            let began = Instant::now();
            if room.round(&[0, 1, 3]).await.contains(&3) {
                return began;
            }
        }
    });
    let began = waited.await.expect("who speaks isn't heard");
    let heard = room.round(&[0, 1, 3, 2]).await;
    if began.elapsed() > QUICK {
        return None;
    }
    assert_eq!(heard, [0, 1, 3]);
    Some(())
}

#[tokio::test]
async fn in_a_room_of_seven_who_is_forwarded_follows_who_speaks() {
    let server = Server::start(|config| config.limits.messages_per_s = 100_000).await;
    let mut tries = 0;
    while Box::pin(follows(&server, &format!("r{tries}")))
        .await
        .is_none()
    {
        tries += 1;
        assert!(tries < 50, "the machine is too slow for this");
    }
    assert!(counted(&server, "visita_sound_frames_left_out_total").await >= 4);
    server.end().await;
}

#[tokio::test]
async fn up_to_four_are_all_heard_with_their_levels() {
    let server = Server::start(|_| {}).await;
    let mut room = Room::new(&server, "r", 2).await;
    for byte in [0, 0x7f, 0x80, 0xff, 0x9e] {
        for person in 0..2 {
            room.others[person].says(Level::from_byte(byte)).await;
            let (header, payload) = room.listener.chunk().await;
            assert_eq!(header.sender, room.others[person].member());
            assert_eq!(header.level, Some(Level::from_byte(byte)));
            assert_eq!(&payload[..], b"opus");
        }
    }
    server.end().await;
}

#[tokio::test]
async fn who_speaks_is_told_to_everybody_and_to_those_who_come() {
    let server = Server::start(|config| config.limits.messages_per_s = 100_000).await;
    let mut room = Room::new(&server, "r", 5).await;
    room.until_told(0).await;
    let speaks = room.others[0].member();
    // Goes on meanwhile.
    let (stop, mut stopped) = oneshot::channel::<()>();
    let mut talking = room.others.remove(0);
    let talks = tokio::spawn(async move {
        while stopped.try_recv().is_err() {
            sleep(FRAME).await;
            talking.says(VOICE).await;
        }
        talking
    });
    let everybody = room.others.iter_mut().map(|person| &mut person.guest);
    for guest in everybody.chain([&mut room.bed.guest]) {
        if guest.seen.iter().find_map(speaker) != Some(Some(speaks)) {
            assert_eq!(guest.until(speaker).await, Some(speaks));
        }
    }
    let mut late = server.member("r", "Late").await;
    assert_eq!(late.until(speaker).await, Some(speaks));
    // The relay is told that the speaker is muted, and everybody that nobody speaks.
    stop.send(()).unwrap();
    let mut talking = talks.await.unwrap();
    talking.mute().await;
    for guest in [&mut late, &mut room.listener, &mut room.bed.guest] {
        while guest.until(speaker).await.is_some() {}
    }
    server.end().await;
}

#[tokio::test]
async fn a_muted_one_costs_nothing_and_holds_no_place() {
    let server = Server::start(|config| config.limits.messages_per_s = 100_000).await;
    let mut room = Room::new(&server, "r", 5).await;
    assert_eq!(room.round(&[0, 1, 2]).await, [0, 1, 2]);
    room.others[1].mute().await;
    assert_eq!(room.round(&[3]).await, [3], "the place is free");
    let before = counted(&server, "visita_sound_frames_total").await;
    // A muted microphone isn't announced: what comes of it nevertheless goes nowhere.
    room.others[1].says(VOICE).await;
    room.others[1].is_told(Code::TrackMissing).await;
    assert!(room.round(&[]).await.is_empty());
    let after = counted(&server, "visita_sound_frames_total").await;
    assert_eq!(after, before + 1, "the bedside's");
    server.end().await;
}

#[tokio::test]
async fn a_flood_of_sound_is_bounded_told_and_harms_nobody() {
    const FLOOD: u32 = 1_000;
    let server = Server::start(|_| {}).await;
    let mut mallory = Person::join(&server, "r", "Mallory", Role::Guest).await;
    let mut ben = Person::join(&server, "r", "Ben", Role::Guest).await;
    let mut listener = server.member("r", "Listener").await;
    let began = Instant::now();
    for sequence in 0..FLOOD {
        let frame = sound(sequence, VOICE, b"flood");
        mallory.guest.binary(frame).await;
        if sequence % 25 == 0 {
            ben.says(VOICE).await;
        }
    }
    mallory.guest.ping().await;
    let took = began.elapsed();
    ben.says(WHISPER).await;
    let (mut flooded, mut spoken) = (0, 0);
    loop {
        let (header, _) = listener.chunk().await;
        if header.sender == mallory.member() {
            flooded += 1;
            continue;
        }
        assert_eq!(header.sequence, spoken, "of the other none is missing");
        spoken += 1;
        if header.level == Some(WHISPER) {
            break;
        }
    }
    assert_eq!(spoken, FLOOD / 25 + 1);
    // A second's worth at once, and what came to it meanwhile.
    let most = f64::from(MAX_FRAMES_PER_S) * (1.0 + took.as_secs_f64());
    assert!(f64::from(flooded) <= most, "{flooded} in {took:?}");
    assert!(flooded >= MAX_FRAMES_PER_S, "{flooded}");
    mallory.is_told(Code::RateLimited).await;
    let told = mallory.told(Code::RateLimited);
    assert!(told <= took.as_secs() as usize + 1, "{told}");
    let refused = counted(&server, "visita_sound_frames_refused_total").await;
    assert_eq!(refused, u64::from(FLOOD - flooded));
    server.end().await;
}

/// Announcing the microphone again, or coming into another room, gives nobody a second's worth more.
#[tokio::test]
async fn a_flood_isnt_helped_by_muting_or_leaving() {
    let server = Server::start(|_| {}).await;
    let mut mallory = Person::join(&server, "r", "Mallory", Role::Guest).await;
    let began = Instant::now();
    let mut sequence = 0;
    for round in 0..3 {
        for _ in 0..2 * MAX_FRAMES_PER_S {
            mallory.guest.binary(sound(sequence, VOICE, b"flood")).await;
            sequence += 1;
        }
        if round == 0 {
            mallory.mute().await;
            mallory.unmute().await;
        } else if round == 1 {
            mallory.guest.send(ClientMessage::Leave).await;
            mallory.guest.join("elsewhere", "Mallory").await;
            mallory.unmute().await;
        }
    }
    mallory.guest.ping().await;
    let most = f64::from(MAX_FRAMES_PER_S) * (1.0 + began.elapsed().as_secs_f64());
    let refused = counted(&server, "visita_sound_frames_refused_total").await;
    assert!(refused as f64 >= f64::from(sequence) - most, "{refused}");
    server.end().await;
}

#[tokio::test]
async fn what_is_no_sound_is_refused_and_the_rest_goes_on() {
    let server = Server::start(|_| {}).await;
    let mut ana = Person::join(&server, "r", "Ana", Role::Guest).await;
    let mut ben = server.member("r", "Ben").await;
    ana.says(VOICE).await;
    let refers = Header {
        references: References::new(&[1]).unwrap(),
        ..header(MICROPHONE, 1, true)
    };
    ana.guest.binary(chunk(&refers, b"refers")).await;
    assert_eq!(ana.guest.error().await, (Code::Malformed, None));
    let large = vec![0; MAX_SOUND_FRAME + 1];
    ana.guest.binary(sound(2, VOICE, &large)).await;
    assert_eq!(ana.guest.error().await, (Code::TooLarge, None));
    // A level that isn't there counts as silence.
    let plain = header(MICROPHONE, 3, true);
    ana.guest.binary(chunk(&plain, b"plain")).await;
    assert_eq!(ben.chunk().await.0.sequence, 0);
    assert_eq!(ben.chunk().await.0.sequence, 3);
    server.end().await;
}

#[tokio::test]
async fn one_who_was_away_is_told_who_speaks_now() {
    let server = Server::start(|config| config.limits.messages_per_s = 100_000).await;
    let mut room = Room::new(&server, "r", 2).await;
    let mut away = server.member("r", "Away").await;
    room.until_told(0).await;
    assert_eq!(away.until(speaker).await, Some(room.others[0].member()));
    // While the connection is gone, somebody else begins to speak.
    let (hello, received) = (away.resuming(), away.received);
    drop(away);
    room.until_told(1).await;
    let mut back = Guest::hello(server.wire().await, hello).await.unwrap();
    back.received = received;
    while back.until(speaker).await != Some(room.others[1].member()) {}
    server.end().await;
}

/// Sends a second's numbers after another, without those that `lost` says, until it is told how
/// much gets lost, `most` seconds at most.
async fn told_loss(person: &mut Person, most: u32, lost: impl Fn(u32) -> bool) -> Option<u8> {
    let loss = |seen: &RelayMessage| match seen {
        RelayMessage::Loss { track, percent } => {
            assert_eq!(*track, microphone().id);
            Some(*percent)
        }
        _ => None,
    };
    for _ in 0..most * 50 {
        let sequence = person.sequence;
        person.sequence += 1;
        if lost(sequence) {
            continue;
        }
        let frame = sound(sequence, VOICE, b"opus");
        person.guest.binary(frame).await;
        // Slowly enough for what one may send.
        sleep(FRAME / 2).await;
        if sequence.is_multiple_of(25) {
            person.guest.ping().await;
            let told = person.guest.seen.iter().find_map(loss);
            person.guest.seen.clear();
            if told.is_some() {
                return told;
            }
        }
    }
    None
}

#[tokio::test]
async fn who_leaves_numbers_out_is_told_how_much_gets_lost_and_when_it_is_over() {
    let server = Server::start(|_| {}).await;
    let mut ana = Person::join(&server, "r", "Ana", Role::Guest).await;
    let mut ben = Person::join(&server, "r", "Ben", Role::Guest).await;
    assert_eq!(told_loss(&mut ana, 5, |_| false).await, None);
    let told = told_loss(&mut ana, 10, |number| number % 5 == 2).await;
    assert!((2..=20).contains(&told.unwrap()), "{told:?}");
    // Another's line is another's.
    assert_eq!(told_loss(&mut ben, 5, |_| false).await, None);
    while told_loss(&mut ana, 30, |_| false)
        .await
        .expect("it is over")
        > 0
    {}
    // Whoever was muted begins anew, and a pause is no loss.
    ana.mute().await;
    ana.sequence += 100;
    ana.unmute().await;
    assert_eq!(told_loss(&mut ana, 5, |_| false).await, None);
    server.end().await;
}
