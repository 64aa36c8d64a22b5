//! No order of events leaves anybody behind, tells members different things, or asks anybody to
//! send what nobody gets.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{collection::vec, prelude::*};
use visita_protocol::{
    control::{ClientMessage, LeaveReason, RelayMessage, Role, RoomChoice, RoomKind, View, Watch},
    error::Code,
    id::{MemberId, RoomId, TrackId},
    media::{Codec, Size, Source, Track},
    name::{ChatText, PersonName, RoomName},
    receiver::Selected,
    room::{Action, Joining, Limits, Place, Rooms},
    time::{Now, WallMs},
};

const PEOPLE: usize = 6;
const LIMITS: Limits = Limits {
    rooms: 3,
    members: 4,
    empty_for: Duration::from_mins(1),
};
const SMALL: Size = Size::new(320, 180);

#[derive(Clone, Debug)]
enum Event {
    Join {
        who: usize,
        room: u8,
        create: bool,
        kind: u8,
        shows: Option<Size>,
    },
    Leave {
        who: usize,
        reason: u8,
    },
    Lost {
        who: usize,
    },
    Back {
        who: usize,
    },
    Tracks {
        who: usize,
        which: u8,
    },
    Watch {
        who: usize,
        shows: Option<Size>,
        /// One person in another size than all others.
        view: Option<(usize, Option<Size>)>,
    },
    Decodes {
        who: usize,
        kind: u8,
    },
    Chat {
        who: usize,
    },
    NeedKeyFrame {
        who: usize,
        of: usize,
        track: u8,
    },
    Wait {
        s: u64,
    },
}

fn size() -> impl Strategy<Value = Option<Size>> {
    prop_oneof![
        Just(None),
        Just(Some(Size::new(0, 0))),
        Just(Some(SMALL)),
        // Needs the larger layer for its height alone.
        Just(Some(Size::new(200, 300))),
        Just(Some(Size::new(640, 360))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let who = || 0..PEOPLE;
    prop_oneof![
        4 => (who(), 0..5_u8, (any::<bool>(), 0..4_u8), size()).prop_map(|(who, room, (create, kind), shows)| {
            Event::Join { who, room, create, kind, shows }
        }),
        2 => (who(), 0..3_u8).prop_map(|(who, reason)| Event::Leave { who, reason }),
        2 => who().prop_map(|who| Event::Lost { who }),
        2 => who().prop_map(|who| Event::Back { who }),
        4 => (who(), 0..16_u8).prop_map(|(who, which)| Event::Tracks { who, which }),
        2 => (who(), size(), proptest::option::of((who(), size())))
            .prop_map(|(who, shows, view)| Event::Watch { who, shows, view }),
        1 => (who(), 0..4_u8).prop_map(|(who, kind)| Event::Decodes { who, kind }),
        2 => who().prop_map(|who| Event::Chat { who }),
        1 => (who(), who(), 0..5_u8).prop_map(|(who, of, track)| Event::NeedKeyFrame { who, of, track }),
        2 => (0..50_u64).prop_map(|s| Event::Wait { s }),
    ]
}

fn decodes(kind: u8) -> Vec<Codec> {
    match kind {
        0 => vec![Codec::H264, Codec::Vp8, Codec::Jpeg, Codec::Opus],
        1 => vec![Codec::Vp8, Codec::Jpeg, Codec::Opus],
        2 => vec![Codec::H264, Codec::Jpeg, Codec::Opus],
        _ => vec![Codec::Jpeg],
    }
}

fn tracks(which: u8) -> Vec<Track> {
    let all = [
        (
            Source::Camera,
            Codec::H264,
            vec![SMALL, Size::new(640, 360)],
        ),
        (Source::Camera, Codec::Jpeg, vec![SMALL]),
        (Source::Microphone, Codec::Opus, vec![]),
        (Source::Camera, Codec::Vp8, vec![SMALL]),
    ];
    let numbered = (0_u8..).zip(all).filter(|(id, _)| which & (1 << id) != 0);
    numbered
        .map(|(id, (source, codec, layers))| Track {
            id: TrackId(id),
            source,
            codec,
            layers,
            sealed: false,
        })
        .collect()
}

/// A participant as it sees the world from its messages.
#[derive(Default)]
struct Seen {
    members: BTreeSet<MemberId>,
    sends: BTreeMap<TrackId, Size>,
    last_line: Option<u64>,
    tracks: Vec<Track>,
    decodes: Vec<Codec>,
    shows: Option<Size>,
    view: Option<(MemberId, Option<Size>)>,
    connected: bool,
}

impl Seen {
    fn watch(&self) -> Watch {
        let views = self.view.into_iter();
        Watch {
            others: self.shows,
            views: views.map(|(member, size)| View { member, size }).collect(),
        }
    }

    /// What it must get of another, by track, with the size and layer: said as simply as possible.
    /// Where H.264 and VP8 would do, `routed` is either: the sender's cost decides.
    fn gets(
        &self,
        id: MemberId,
        from: &Seen,
        routed: &BTreeMap<TrackId, u8>,
    ) -> BTreeMap<TrackId, (Size, u8)> {
        let mut gets = BTreeMap::new();
        let has = |codec| {
            let track = from.tracks.iter().find(|track| track.codec == codec);
            track.filter(|_| self.connected && self.decodes.contains(&codec))
        };
        if let Some(sound) = has(Codec::Opus) {
            gets.insert(sound.id, (Size::new(0, 0), 0));
        }
        let size = match self.view {
            Some((member, size)) if member == id => size,
            _ => self.shows,
        };
        let is_routed = |track: &&Track| routed.contains_key(&track.id);
        let (h264, vp8) = (has(Codec::H264), has(Codec::Vp8));
        let either = h264.filter(is_routed).or(vp8.filter(is_routed));
        let picture = either.or(h264).or(vp8).or(has(Codec::Jpeg));
        if let (Some(size), Some(picture)) = (size, picture)
            && size.area() > 0
        {
            let large = size.width > SMALL.width || size.height > SMALL.height;
            let layer = u8::from(large && picture.layers.len() > 1);
            gets.insert(picture.id, (size, layer));
        }
        gets
    }
}

struct World {
    rooms: Rooms,
    now: Now,
    people: [Option<Place>; PEOPLE],
    seen: BTreeMap<MemberId, Seen>,
    routes: BTreeMap<(MemberId, MemberId), Vec<Selected>>,
    gone: Vec<Place>,
    last_member: u32,
}

impl World {
    fn apply(&mut self, actions: Vec<Action>) -> Result<(), TestCaseError> {
        for action in actions {
            match action {
                Action::Send { to, message } => self.hear(to, message)?,
                Action::Tell { to, message } => {
                    for to in to {
                        self.hear(to, message.clone())?;
                    }
                }
                Action::Route {
                    receiver,
                    sender,
                    tracks,
                } => {
                    let before = if tracks.is_empty() {
                        self.routes.remove(&(receiver, sender))
                    } else {
                        self.routes.insert((receiver, sender), tracks.clone())
                    };
                    prop_assert_ne!(
                        before.unwrap_or_default(),
                        tracks,
                        "a route that changes nothing"
                    );
                }
                Action::KeyFrame { sender, track } => {
                    let tracks = &self.seen[&sender].tracks;
                    prop_assert!(tracks.iter().any(|known| known.id == track));
                }
            }
        }
        Ok(())
    }

    fn hear(&mut self, who: MemberId, message: RelayMessage) -> Result<(), TestCaseError> {
        if message == RelayMessage::Left {
            return Ok(());
        }
        let seen = self.seen.get_mut(&who).unwrap();
        match message {
            RelayMessage::Joined {
                you, members, chat, ..
            } => {
                prop_assert_eq!(you, who);
                seen.members = members.iter().map(|member| member.id).collect();
                seen.last_line = chat.last().map(|line| line.seq);
            }
            RelayMessage::MemberJoined { member } => prop_assert!(seen.members.insert(member.id)),
            RelayMessage::MemberChanged { member } => {
                prop_assert!(seen.members.contains(&member.id));
            }
            RelayMessage::MemberLeft { member, .. } => prop_assert!(seen.members.remove(&member)),
            RelayMessage::Chat(line) => {
                prop_assert_eq!(line.seq, seen.last_line.unwrap_or(line.seq - 1) + 1);
                seen.last_line = Some(line.seq);
            }
            RelayMessage::Send { tracks } => {
                let sends = tracks.iter().map(|send| (send.track, send.size)).collect();
                prop_assert_ne!(&seen.sends, &sends, "told to send what is sent already");
                seen.sends = sends;
            }
            other => prop_assert!(false, "{:?}", other),
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let listed = self.rooms.list();
        prop_assert!(listed.len() <= LIMITS.rooms);
        let mut present = BTreeMap::new();
        for info in listed {
            let room = self.rooms.room(info.id).unwrap();
            prop_assert_eq!(&room.info(), info);
            prop_assert!(room.members().len() <= LIMITS.members);
            for member in room.members() {
                prop_assert!(present.insert(member.id, info.id).is_none());
            }
            let ids: BTreeSet<_> = room.members().map(|member| member.id).collect();
            for id in &ids {
                prop_assert_eq!(&self.seen[id].members, &ids, "members see different rooms");
            }
        }
        let expected: BTreeMap<_, _> = self
            .people
            .iter()
            .flatten()
            .map(|p| (p.member, p.room))
            .collect();
        prop_assert_eq!(
            &present,
            &expected,
            "somebody is left behind, or gone too early"
        );
        for &(receiver, sender) in self.routes.keys() {
            prop_assert!(present.contains_key(&receiver) && receiver != sender);
            prop_assert_eq!(present.get(&receiver), present.get(&sender));
        }
        for (&sender, room) in &present {
            let mut sends: BTreeMap<TrackId, Size> = BTreeMap::new();
            let others = present
                .iter()
                .filter(|(id, at)| **id != sender && *at == room);
            for (&receiver, _) in others {
                let routes = self.routes.get(&(receiver, sender)).into_iter().flatten();
                let routed: BTreeMap<_, _> = routes.map(|s| (s.track, s.layer)).collect();
                let gets = self.seen[&receiver].gets(sender, &self.seen[&sender], &routed);
                let layers = gets.iter().map(|(track, (_, layer))| (*track, *layer));
                prop_assert_eq!(routed, layers.collect::<BTreeMap<_, _>>());
                for (track, (size, _)) in gets {
                    let most = sends.entry(track).or_insert(size);
                    *most = most.max(size);
                }
            }
            prop_assert_eq!(
                &self.seen[&sender].sends,
                &sends,
                "what is sent isn't what is got"
            );
        }
        Ok(())
    }

    fn step(&mut self, event: Event) -> Result<(), TestCaseError> {
        let wall = WallMs(self.now.0 / 1000);
        let handle = |world: &mut World, who: usize, message: ClientMessage| {
            let place = world.people[who]?;
            Some((
                place.member,
                world.rooms.handle(wall, place, message).unwrap(),
            ))
        };
        match event {
            Event::Join {
                who,
                room,
                create,
                kind,
                shows,
            } => return self.join(who, room, create, kind, shows),
            Event::Leave { who, reason } => {
                let Some(place) = self.people[who].take() else {
                    return Ok(());
                };
                let reason = [LeaveReason::Left, LeaveReason::Lost, LeaveReason::Removed]
                    [usize::from(reason)];
                let actions = self.rooms.leave(self.now, place, reason);
                self.gone.push(place);
                return self.apply(actions);
            }
            Event::Lost { who } | Event::Back { who } => {
                let Some(place) = self.people[who] else {
                    return Ok(());
                };
                let lost = matches!(event, Event::Lost { .. });
                self.seen.get_mut(&place.member).unwrap().connected = !lost;
                let actions = if lost {
                    self.rooms.lost(place)
                } else {
                    self.rooms.back(place)
                };
                return self.apply(actions);
            }
            Event::Tracks { who, which } => {
                let message = ClientMessage::Tracks {
                    tracks: tracks(which),
                };
                let Some((id, actions)) = handle(self, who, message) else {
                    return Ok(());
                };
                self.seen.get_mut(&id).unwrap().tracks = tracks(which);
                return self.apply(actions);
            }
            Event::Watch { who, shows, view } => {
                let Some(place) = self.people[who] else {
                    return Ok(());
                };
                let view = view.and_then(|(of, size)| Some((self.people[of]?.member, size)));
                let seen = self.seen.get_mut(&place.member).unwrap();
                (seen.shows, seen.view) = (shows, view);
                let message = ClientMessage::Watch(seen.watch());
                let Some((_, actions)) = handle(self, who, message) else {
                    return Ok(());
                };
                return self.apply(actions);
            }
            Event::Decodes { who, kind } => {
                let message = ClientMessage::Decodes {
                    decodes: decodes(kind),
                };
                let Some((id, actions)) = handle(self, who, message) else {
                    return Ok(());
                };
                self.seen.get_mut(&id).unwrap().decodes = decodes(kind);
                return self.apply(actions);
            }
            Event::Chat { who } => {
                let message = ClientMessage::Chat {
                    text: ChatText::new("hola").unwrap(),
                };
                let Some((_, actions)) = handle(self, who, message) else {
                    return Ok(());
                };
                return self.apply(actions);
            }
            Event::NeedKeyFrame { who, of, track } => {
                let Some(of) = self.people[of] else {
                    return Ok(());
                };
                let message = ClientMessage::NeedKeyFrame {
                    member: of.member,
                    track: TrackId(track),
                };
                let Some((_, actions)) = handle(self, who, message) else {
                    return Ok(());
                };
                return self.apply(actions);
            }
            Event::Wait { s } => {
                self.now = self.now.plus(Duration::from_secs(s));
                self.rooms.tick(self.now);
                prop_assert!(self.rooms.next().is_none_or(|next| next > self.now));
            }
        }
        Ok(())
    }

    fn join(
        &mut self,
        who: usize,
        room: u8,
        create: bool,
        kind: u8,
        shows: Option<Size>,
    ) -> Result<(), TestCaseError> {
        if self.people[who].is_some() {
            return Ok(());
        }
        // Two spellings of one name.
        let name = ["Cama 1", "CAMA 1", "Cama 2", "Ñandú", "ñANDÚ"][usize::from(room)];
        let folded = name.to_lowercase();
        let known = self
            .rooms
            .list()
            .iter()
            .find(|info| info.name.reveal().to_lowercase() == folded)
            .cloned();
        let choice = RoomChoice::Name {
            name: RoomName::new(name).unwrap(),
            create: create.then_some(RoomKind::Bed),
        };
        let joining = Joining {
            name: PersonName::new("Ana").unwrap(),
            role: Role::Guest,
            decodes: decodes(kind),
            watch: Watch {
                others: shows,
                views: vec![],
            },
            clock: None,
        };
        let fresh = RoomId((self.last_member as u64 + self.now.0 * 1000).to_be_bytes());
        let outcome = self
            .rooms
            .join(self.now, WallMs(0), &choice, fresh, joining);
        let full = self.rooms.list().len() == LIMITS.rooms;
        match (outcome, known) {
            (Ok(joined), known) => {
                prop_assert!(known.is_none_or(|info| info.id == joined.place.room));
                prop_assert!(
                    joined.place.member.0 > self.last_member,
                    "an identity given twice"
                );
                self.last_member = joined.place.member.0;
                self.people[who] = Some(joined.place);
                let seen = Seen {
                    decodes: decodes(kind),
                    shows,
                    connected: true,
                    ..Seen::default()
                };
                self.seen.insert(joined.place.member, seen);
                self.apply(joined.actions)
            }
            (Err(code), Some(info)) => {
                prop_assert_eq!(
                    (code, info.members as usize),
                    (Code::RoomFull, LIMITS.members)
                );
                Ok(())
            }
            (Err(code), None) => {
                prop_assert_eq!(
                    code,
                    if create {
                        Code::TooManyRooms
                    } else {
                        Code::RoomMissing
                    }
                );
                prop_assert!(!create || full);
                Ok(())
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_rooms_hold_together(events in vec(event(), 0..120)) {
        let mut world = World {
            rooms: Rooms::new(LIMITS),
            now: Now(1),
            people: [None; PEOPLE],
            seen: BTreeMap::new(),
            routes: BTreeMap::new(),
            gone: Vec::new(),
            last_member: 0,
        };
        for event in events {
            world.step(event)?;
            world.check()?;
        }
        for place in std::mem::take(&mut world.gone) {
            let outcome = world.rooms.handle(WallMs(0), place, ClientMessage::Decodes { decodes: vec![] });
            prop_assert_eq!(outcome, Err(Code::NotJoined));
            prop_assert_eq!(world.rooms.leave(world.now, place, LeaveReason::Lost), []);
        }
        for who in 0..PEOPLE {
            world.step(Event::Leave { who, reason: 1 })?;
        }
        world.step(Event::Wait { s: 60 })?;
        world.check()?;
        prop_assert_eq!(world.rooms.list().len(), 0);
    }
}
