use super::*;
use crate::{
    control::{ClientMessage, RoomChoice, SendTrack},
    media::{Kind, Size, Source},
};

const SMALL: Size = Size::new(320, 180);

fn joining(name: &str, role: Role) -> Joining {
    Joining {
        name: PersonName::new(name).unwrap(),
        role,
        decodes: vec![Codec::H264, Codec::Jpeg, Codec::Opus],
        watch: Watch {
            others: Some(SMALL),
            views: vec![],
        },
        clock: None,
    }
}

fn by_name(name: &str, create: Option<RoomKind>) -> RoomChoice {
    RoomChoice::Name {
        name: RoomName::new(name).unwrap(),
        create,
    }
}

fn rooms() -> Rooms {
    Rooms::new(Limits {
        rooms: 2,
        members: 3,
        empty_for: Duration::from_mins(1),
    })
}

fn join(rooms: &mut Rooms, room: &str, who: &str, role: Role) -> (Place, Vec<Action>) {
    let fresh = RoomId([rooms.list().len() as u8 + 1; 8]);
    let choice = by_name(room, Some(RoomKind::Bed));
    let joined = rooms
        .join(Now(0), WallMs(9), &choice, fresh, joining(who, role))
        .unwrap();
    (joined.place, joined.actions)
}

fn camera() -> ClientMessage {
    let track = Track {
        id: TrackId(0),
        source: Source::Camera,
        codec: Codec::H264,
        layers: vec![SMALL, Size::new(640, 360)],
        sealed: false,
    };
    ClientMessage::Tracks {
        tracks: vec![track],
    }
}

fn messages(actions: &[Action], whom: MemberId) -> Vec<&RelayMessage> {
    let sent = actions.iter().filter_map(|action| match action {
        Action::Send { to, message } if *to == whom => Some(message),
        Action::Tell { to, message } if to.contains(&whom) => Some(message),
        _ => None,
    });
    sent.collect()
}

#[test]
fn two_who_create_one_name_get_one_room_and_hear_of_each_other() {
    let mut rooms = rooms();
    let (ana, _) = join(&mut rooms, "Bed 7", "Ana", Role::Family);
    assert!(rooms.list()[0].waiting);
    let (ben, actions) = join(&mut rooms, "bED 7", "Ben", Role::Bedside);
    assert_eq!(ana.room, ben.room);
    assert!(
        matches!(messages(&actions, ana.member)[..], [RelayMessage::MemberJoined { member }] if member.id == ben.member)
    );
    let [
        RelayMessage::Joined {
            you, members, room, ..
        },
    ] = messages(&actions, ben.member)[..]
    else {
        panic!("{actions:?}")
    };
    assert_eq!(
        (*you, members.len(), room.members, room.waiting),
        (ben.member, 2, 2, false)
    );
}

#[test]
fn the_others_see_whose_line_carries_sound_alone() {
    let mut rooms = rooms();
    let (ana, _) = join(&mut rooms, "a", "Ana", Role::Family);
    let (ben, _) = join(&mut rooms, "a", "Ben", Role::Bedside);
    let mut says = |carries| {
        let line = ClientMessage::Line { carries };
        let actions = rooms.handle(WallMs(0), ana, line).unwrap();
        assert!(messages(&actions, ana.member).is_empty());
        let told = messages(&actions, ben.member).into_iter();
        let line = told.map(|message| match message {
            RelayMessage::MemberChanged { member } if member.id == ana.member => member.line,
            other => panic!("{other:?}"),
        });
        line.collect::<Vec<_>>()
    };
    assert_eq!(says(Carries::Pictures), [], "as from the start");
    assert_eq!(says(Carries::Sound), [Carries::Sound]);
    assert_eq!(says(Carries::Unknown), []);
    assert_eq!(says(Carries::Pictures), [Carries::Pictures]);
}

#[test]
fn members_are_told_to_send_what_is_shown_and_to_stop_when_nobody_shows_it() {
    let mut rooms = rooms();
    let (ana, _) = join(&mut rooms, "a", "Ana", Role::Family);
    let (ben, _) = join(&mut rooms, "a", "Ben", Role::Bedside);
    let actions = rooms.handle(WallMs(0), ana, camera()).unwrap();
    let selected = Selected {
        track: TrackId(0),
        kind: Kind::Video,
        layer: 0,
    };
    let route = |tracks| Action::Route {
        receiver: ben.member,
        sender: ana.member,
        tracks,
    };
    assert!(actions.contains(&route(vec![selected])));
    let sends = vec![SendTrack {
        track: TrackId(0),
        size: SMALL,
    }];
    assert_eq!(
        messages(&actions, ana.member),
        [&RelayMessage::Send { tracks: sends }]
    );

    let need = ClientMessage::NeedKeyFrame {
        member: ana.member,
        track: TrackId(0),
    };
    let key = Action::KeyFrame {
        sender: ana.member,
        track: TrackId(0),
    };
    assert_eq!(rooms.handle(WallMs(0), ben, need.clone()), Ok(vec![key]));

    let actions = rooms.lost(ben);
    assert!(actions.contains(&route(vec![])));
    assert!(messages(&actions, ana.member).contains(&&RelayMessage::Send { tracks: vec![] }));
    assert_eq!(rooms.handle(WallMs(0), ben, need), Ok(vec![]));
    assert!(rooms.back(ben).contains(&route(vec![selected])));
    assert_eq!(rooms.back(ben), []);

    let actions = rooms.leave(Now(0), ben, LeaveReason::Left);
    assert_eq!(messages(&actions, ben.member), [&RelayMessage::Left]);
    assert_eq!(messages(&actions, ana.member).len(), 2);
    assert!(actions.contains(&route(vec![])));
    assert_eq!(rooms.handle(WallMs(0), ben, camera()), Err(Code::NotJoined));
}

#[test]
fn chat_is_numbered_and_kept_for_those_who_come_later() {
    let mut rooms = rooms();
    let (ana, _) = join(&mut rooms, "a", "Ana", Role::Family);
    for number in 0..MAX_HISTORY + 5 {
        let text = ChatText::new(&format!("line {number}")).unwrap();
        let actions = rooms
            .handle(WallMs(5), ana, ClientMessage::Chat { text })
            .unwrap();
        assert_eq!(messages(&actions, ana.member).len(), 1);
    }
    let (ben, actions) = join(&mut rooms, "a", "Ben", Role::Bedside);
    let [RelayMessage::Joined { chat, .. }] = messages(&actions, ben.member)[..] else {
        panic!()
    };
    assert_eq!(
        (chat.len(), chat[0].seq, chat[199].seq),
        (MAX_HISTORY, 6, 205)
    );
    for _ in 0..100 {
        let text = ChatText::new(&"x".repeat(2000)).unwrap();
        rooms
            .handle(WallMs(5), ana, ClientMessage::Chat { text })
            .unwrap();
    }
    assert!(rooms.room(ana.room).unwrap().history_bytes <= MAX_HISTORY_BYTES);
}

#[test]
fn limits_hold_and_empty_rooms_close() {
    let mut rooms = rooms();
    let (ana, _) = join(&mut rooms, "a", "Ana", Role::Family);
    join(&mut rooms, "a", "Ben", Role::Family);
    join(&mut rooms, "a", "Cid", Role::Family);
    let (dan, _) = join(&mut rooms, "b", "Dan", Role::Family);
    let mut refused = |choice| {
        let fresh = RoomId([9; 8]);
        rooms
            .join(
                Now(0),
                WallMs(0),
                &choice,
                fresh,
                joining("Eve", Role::Guest),
            )
            .unwrap_err()
    };
    assert_eq!(refused(by_name("a", None)), Code::RoomFull);
    assert_eq!(
        refused(by_name("c", Some(RoomKind::Meeting))),
        Code::TooManyRooms
    );
    assert_eq!(refused(by_name("c", None)), Code::RoomMissing);
    assert_eq!(
        refused(RoomChoice::Id { id: RoomId([9; 8]) }),
        Code::RoomMissing
    );

    let revision = rooms.revision();
    rooms.leave(Now(5), dan, LeaveReason::Left);
    assert!(rooms.revision() > revision);
    assert_eq!(rooms.next(), Some(Now(60_000_005)));
    rooms.tick(Now(60_000_004));
    assert_eq!(rooms.list().len(), 2);
    rooms.tick(Now(60_000_005));
    assert_eq!((rooms.list().len(), rooms.next()), (1, None));
    assert_eq!(rooms.leave(Now(0), dan, LeaveReason::Left), []);
    assert_eq!(rooms.list()[0].id, ana.room);
}
