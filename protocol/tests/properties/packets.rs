//! Any text is a packet or an error, and any packet comes back as it was.

use std::{fs, path::Path, sync::LazyLock};

use proptest::{collection::vec, option, prelude::*, sample::select};
use visita_protocol::{
    control::{
        Carries, ChatLine, ClientMessage, ClientPacket, Compression, Connection, Hello,
        LeaveReason, Member, RelayMessage, RelayPacket, Resume, Role, RoomChoice, RoomInfo,
        RoomKind, SendTrack, Slot, View, Watch, Welcome, parse_client, parse_relay, write,
    },
    error::Code,
    id::{ClockId, MemberId, RoomId, Secret, SessionId, TrackId},
    media::{Codec, Size, Source, Track},
    name::{ChatText, PersonName, RoomName},
    time::WallMs,
    travel::{Step, Travel, Why},
};

fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Staff, Role::Bedside, Role::Family, Role::Guest])
}

fn kind() -> impl Strategy<Value = RoomKind> {
    select(vec![RoomKind::Bed, RoomKind::Meeting])
}

fn codecs() -> impl Strategy<Value = Vec<Codec>> {
    vec(
        select(vec![
            Codec::H264,
            Codec::Vp8,
            Codec::Jpeg,
            Codec::Opus,
            Codec::Unknown,
        ]),
        0..5,
    )
}

fn person() -> impl Strategy<Value = PersonName> {
    "\\PC{1,30}".prop_filter_map("empty", |text| PersonName::new(&text).ok())
}

fn room_name() -> impl Strategy<Value = RoomName> {
    "\\PC{1,30}".prop_filter_map("empty", |text| RoomName::new(&text).ok())
}

fn chat() -> impl Strategy<Value = ChatText> {
    "\\PC{1,60}".prop_filter_map("empty", |text| ChatText::new(&text).ok())
}

fn size() -> impl Strategy<Value = Size> {
    any::<(u16, u16)>().prop_map(|(width, height)| Size::new(width, height))
}

fn watch() -> impl Strategy<Value = Watch> {
    let view = (any::<u32>(), option::of(size())).prop_map(|(member, size)| View {
        member: MemberId(member),
        size,
    });
    (option::of(size()), vec(view, 0..4)).prop_map(|(others, views)| Watch { others, views })
}

fn tracks() -> impl Strategy<Value = Vec<Track>> {
    let source = select(vec![Source::Camera, Source::Microphone, Source::Unknown]);
    let codec = select(vec![Codec::H264, Codec::Jpeg, Codec::Opus, Codec::Unknown]);
    let track =
        (any::<u8>(), source, codec, vec(size(), 0..3)).prop_map(|(id, source, codec, layers)| {
            Track {
                id: TrackId(id),
                source,
                codec,
                layers,
                sealed: false,
            }
        });
    vec(track, 0..4)
}

fn way() -> impl Strategy<Value = Travel> {
    let step = select(vec![Step::Webrtc, Step::Frames, Step::Jpeg, Step::None]);
    let why = select(vec![Why::None, Why::Trying, Why::Silent, Why::Unknown]);
    (step, why).prop_map(|(step, why)| Travel { step, why })
}

fn clock() -> impl Strategy<Value = Option<ClockId>> {
    option::of(any::<[u8; 8]>().prop_map(ClockId))
}

fn choice() -> impl Strategy<Value = RoomChoice> {
    prop_oneof![
        any::<[u8; 8]>().prop_map(|id| RoomChoice::Id { id: RoomId(id) }),
        (room_name(), option::of(kind()))
            .prop_map(|(name, create)| RoomChoice::Name { name, create }),
    ]
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        (choice(), person(), role(), codecs(), watch(), clock()).prop_map(
            |(room, name, role, decodes, watch, clock)| ClientMessage::Join {
                room,
                name,
                role,
                decodes,
                watch,
                clock
            }
        ),
        Just(ClientMessage::Leave),
        tracks().prop_map(|tracks| ClientMessage::Tracks { tracks }),
        carries().prop_map(|carries| ClientMessage::Line { carries }),
        watch().prop_map(ClientMessage::Watch),
        codecs().prop_map(|decodes| ClientMessage::Decodes { decodes }),
        chat().prop_map(|text| ClientMessage::Chat { text }),
        any::<(u32, u8)>().prop_map(|(member, track)| ClientMessage::NeedKeyFrame {
            member: MemberId(member),
            track: TrackId(track)
        }),
        Just(ClientMessage::MakeCode),
        way().prop_map(ClientMessage::Way),
    ]
}

pub(crate) fn client_packet() -> impl Strategy<Value = ClientPacket> {
    let resume = option::of(any::<([u8; 16], [u8; 16], u64)>()).prop_map(|resume| {
        resume.map(|(session, secret, received)| Resume {
            session: SessionId(session),
            secret: Secret(secret),
            received,
        })
    });
    let compression = vec(select(vec![Compression::Zstd1, Compression::Unknown]), 0..3);
    prop_oneof![
        (vec(any::<u8>(), 0..4), resume, compression).prop_map(
            |(versions, resume, compression)| {
                ClientPacket::Hello(Hello {
                    versions,
                    resume,
                    compression,
                })
            }
        ),
        (any::<(u64, u64)>(), client_message())
            .prop_map(|((n, ack), body)| ClientPacket::Message { n, ack, body }),
        any::<u64>().prop_map(|ack| ClientPacket::Ack { ack }),
        any::<u32>().prop_map(|id| ClientPacket::Ping { id }),
    ]
}

fn carries() -> impl Strategy<Value = Carries> {
    select(vec![Carries::Pictures, Carries::Sound, Carries::Unknown])
}

fn member() -> impl Strategy<Value = Member> {
    let connection = select(vec![Connection::Connected, Connection::Reconnecting]);
    (
        any::<u32>(),
        person(),
        role(),
        tracks(),
        connection,
        carries(),
        clock(),
    )
        .prop_map(|(id, name, role, tracks, connection, line, clock)| Member {
            id: MemberId(id),
            name,
            role,
            tracks,
            connection,
            line,
            clock,
        })
}

fn line() -> impl Strategy<Value = ChatLine> {
    (any::<(u64, u32, u64)>(), person(), chat()).prop_map(|((seq, from, at), name, text)| {
        ChatLine {
            seq,
            from: MemberId(from),
            name,
            text,
            at_ms: WallMs(at),
        }
    })
}

fn code() -> impl Strategy<Value = Code> {
    select(vec![
        Code::Version,
        Code::Malformed,
        Code::RoomFull,
        Code::Internal,
        Code::Other,
    ])
}

fn relay_message() -> impl Strategy<Value = RelayMessage> {
    let info = (any::<([u8; 8], u32, bool, u64)>(), room_name(), kind()).prop_map(
        |((id, members, waiting, since), name, kind)| RoomInfo {
            id: RoomId(id),
            name,
            kind,
            members,
            waiting,
            since_ms: WallMs(since),
        },
    );
    let send = (any::<u8>(), size()).prop_map(|(track, size)| SendTrack {
        track: TrackId(track),
        size,
    });
    let reason = select(vec![
        LeaveReason::Left,
        LeaveReason::Lost,
        LeaveReason::Removed,
        LeaveReason::Unknown,
    ]);
    prop_oneof![
        (info, any::<u32>(), vec(member(), 0..4), vec(line(), 0..4)).prop_map(
            |(room, you, members, chat)| RelayMessage::Joined {
                room,
                you: MemberId(you),
                members,
                chat
            }
        ),
        Just(RelayMessage::Left),
        (0..1_000_000_u32, any::<u32>()).prop_map(|(code, valid_s)| RelayMessage::Code {
            code: format!("{code:06}").parse().unwrap(),
            valid_s
        }),
        member().prop_map(|member| RelayMessage::MemberJoined { member }),
        member().prop_map(|member| RelayMessage::MemberChanged { member }),
        (any::<u32>(), reason).prop_map(|(member, reason)| RelayMessage::MemberLeft {
            member: MemberId(member),
            reason
        }),
        line().prop_map(RelayMessage::Chat),
        vec(send, 0..4).prop_map(|tracks| RelayMessage::Send { tracks }),
        option::of(any::<u32>()).prop_map(|member| RelayMessage::Speaker {
            member: member.map(MemberId)
        }),
        carries().prop_map(|carries| RelayMessage::Line { carries }),
        any::<u8>().prop_map(|track| RelayMessage::KeyFrame {
            track: TrackId(track)
        }),
        vec((any::<u32>(), "[0-9a-z]{1,3}", "[0-9a-z]{1,3}"), 0..4).prop_map(|slots| {
            let slot = |(member, sound, picture)| Slot {
                member: MemberId(member),
                sound,
                picture,
            };
            RelayMessage::Slots {
                slots: slots.into_iter().map(slot).collect(),
            }
        }),
        Just(RelayMessage::Closing),
        (code(), option::of(any::<u64>()))
            .prop_map(|(code, reply_to)| RelayMessage::Error { code, reply_to }),
    ]
}

fn relay_packet() -> impl Strategy<Value = RelayPacket> {
    let welcome = (
        any::<(u8, [u8; 16], [u8; 16], bool, u64, u32, u32, u32)>(),
        any::<(bool, bool)>(),
    )
        .prop_map(
            |(
                (version, session, secret, resumed, received, heartbeat_ms, grace_ms, max_packet),
                (zstd, webrtc),
            )| {
                RelayPacket::Welcome(Welcome {
                    version,
                    session: SessionId(session),
                    secret: Secret(secret),
                    resumed,
                    received,
                    heartbeat_ms,
                    grace_ms,
                    max_packet,
                    compression: zstd.then_some(Compression::Zstd1),
                    webrtc,
                })
            },
        );
    prop_oneof![
        welcome,
        code().prop_map(|code| RelayPacket::Refused { code }),
        (any::<(u64, u64)>(), relay_message()).prop_map(|((n, ack), body)| RelayPacket::Message {
            n,
            ack,
            body
        }),
        any::<u64>().prop_map(|ack| RelayPacket::Ack { ack }),
        any::<u32>().prop_map(|id| RelayPacket::Pong { id }),
    ]
}

/// The texts of the committed vectors, to spoil.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/control.json");
    let all: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let of = |list: &str| all[list].as_array().unwrap().clone();
    let cases = ["client", "relay", "bad_client"].map(of).concat();
    cases
        .iter()
        .map(|case| case["text"].as_str().unwrap().to_owned())
        .collect()
});

fn spoiled() -> impl Strategy<Value = String> {
    let edit = (
        any::<prop::sample::Index>(),
        "(\\PC|[\\{\\}\\[\\]\":,0-9nt]|)",
    );
    (select(&TEXTS[..]), vec(edit, 1..5)).prop_map(|(text, edits)| {
        let mut chars: Vec<String> = text.chars().map(String::from).collect();
        for (at, with) in edits {
            if !chars.is_empty() {
                let at = at.index(chars.len());
                chars[at] = with;
            }
        }
        chars.concat()
    })
}

fn parses_or_not(text: &str) -> Result<(), TestCaseError> {
    if let Ok(packet) = parse_client(text) {
        prop_assert_eq!(parse_client(&write(&packet).unwrap()), Ok(packet));
    }
    if let Ok(packet) = parse_relay(text) {
        prop_assert_eq!(parse_relay(&write(&packet).unwrap()), Ok(packet));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_a_packet_or_an_error(text in "\\PC{0,80}") {
        parses_or_not(&text)?;
    }

    #[test]
    fn text_that_is_nearly_a_packet_is_one_or_an_error(text in spoiled()) {
        parses_or_not(&text)?;
    }

    #[test]
    fn a_participants_packet_comes_back(packet in client_packet()) {
        prop_assert_eq!(parse_client(&write(&packet).unwrap()), Ok(packet));
    }

    #[test]
    fn a_relays_packet_comes_back(packet in relay_packet()) {
        prop_assert_eq!(parse_relay(&write(&packet).unwrap()), Ok(packet));
    }
}
