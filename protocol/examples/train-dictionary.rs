//! Trains the dictionary for compressed control packets, on packets like those of real visits,
//! with names that are made up.
//!
//! `cargo run -p visita-protocol --example train-dictionary -- FILE`
//!
//! Version 1's dictionary is committed and never changes, since both sides of a connection must
//! have the same one; this shows how it came to be, and makes the next version's.

use std::{env, error::Error, fs};

use visita_protocol::{
    control::{
        Carries, ChatLine, ClientMessage, ClientPacket, Compression, Connection, Hello,
        LeaveReason, Member, RelayMessage, RelayPacket, Role, RoomChoice, RoomInfo, RoomKind,
        SendTrack, View, Watch, Welcome, write,
    },
    error::Code,
    id::{ClockId, MemberId, RoomId, Secret, SessionId, TrackId},
    media::{Codec, Size, Source, Track},
    name::{ChatText, PersonName, RoomName},
    time::WallMs,
};

/// The dictionary's size: the bytes of which each message of a visit saves most.
const SIZE: usize = 8 * 1024;
const SAMPLES: usize = 6000;

const NAMES: [&str; 16] = [
    "Lucía Ortega",
    "Mateo",
    "Abuela Carmen",
    "José Luis Herrera",
    "Ana",
    "Dra. Molina",
    "Hugo",
    "Valeria Núñez",
    "Emma Clarke",
    "Grandpa",
    "Nurse Taylor",
    "Oliver",
    "Sofía",
    "Room tablet",
    "Tía Rosa",
    "Cama 12",
];
const ROOMS: [&str; 8] = [
    "Cama 12",
    "Cama 3",
    "Bed 7",
    "Bed 21",
    "Familia Ortega",
    "Ward meeting",
    "Sala 2",
    "Ana",
];
const TEXTS: [&str; 14] = [
    "Hola, ¿cómo estás?",
    "¿Me oyes?",
    "Te queremos mucho",
    "Mañana volvemos a llamar",
    "Se ve un poco oscuro",
    "Descansa",
    "Ya comí",
    "La doctora viene a las cinco",
    "Hello!",
    "Can you hear me?",
    "We love you",
    "See you tomorrow",
    "The doctor is coming at five",
    "👍",
];

/// A small generator of numbers, the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.roll(256) as u8)
    }

    fn id(&mut self) -> MemberId {
        MemberId(self.roll(60) as u32 + 1)
    }

    fn wall(&mut self) -> WallMs {
        WallMs(1_790_000_000_000 + self.roll(1 << 30) as u64 * 97)
    }

    fn size(&mut self) -> Size {
        [(320, 180), (640, 360), (1280, 720), (427, 240), (960, 540)]
            .map(|(width, height)| Size::new(width, height))[self.roll(5)]
    }

    fn track(&mut self) -> TrackId {
        TrackId(self.roll(3) as u8)
    }

    fn tracks(&mut self) -> Vec<Track> {
        let camera = |id, codec, layers: &[(u16, u16)]| Track {
            id: TrackId(id),
            source: Source::Camera,
            codec,
            layers: layers
                .iter()
                .map(|&(width, height)| Size::new(width, height))
                .collect(),
            sealed: false,
        };
        let full = [
            camera(0, Codec::H264, &[(320, 180), (640, 360)]),
            camera(1, Codec::Jpeg, &[(320, 180)]),
            Track {
                id: TrackId(2),
                source: Source::Microphone,
                codec: Codec::Opus,
                layers: vec![],
                sealed: false,
            },
        ];
        match self.roll(5) {
            0 => vec![],
            1 => full[2..].to_vec(),
            2 => full[..2].to_vec(),
            3 => vec![
                camera(0, Codec::H264, &[(640, 360)]),
                camera(1, Codec::Jpeg, &[(640, 360)]),
            ],
            _ => full.to_vec(),
        }
    }

    fn decodes(&mut self) -> Vec<Codec> {
        let all = [Codec::H264, Codec::Vp8, Codec::Jpeg, Codec::Opus];
        match self.roll(3) {
            0 => vec![Codec::Jpeg, Codec::Opus],
            1 => vec![Codec::H264, Codec::Jpeg, Codec::Opus],
            _ => all.to_vec(),
        }
    }

    fn role(&mut self) -> Role {
        [
            Role::Family,
            Role::Family,
            Role::Bedside,
            Role::Staff,
            Role::Guest,
        ][self.roll(5)]
    }

    fn watch(&mut self) -> Watch {
        let views = self.roll(5);
        Watch {
            others: if self.roll(2) == 0 {
                None
            } else {
                Some(self.size())
            },
            views: (0..views)
                .map(|_| View {
                    member: self.id(),
                    size: if self.roll(4) == 0 {
                        None
                    } else {
                        Some(self.size())
                    },
                })
                .collect(),
        }
    }

    fn kind(&mut self) -> RoomKind {
        [RoomKind::Bed, RoomKind::Meeting][self.roll(2)]
    }

    fn clock(&mut self) -> Option<ClockId> {
        (self.roll(2) == 0).then(|| ClockId(self.bytes()))
    }
}

fn person(dice: &mut Dice) -> Result<PersonName, Code> {
    PersonName::new(dice.pick(&NAMES))
}

fn member(dice: &mut Dice) -> Result<Member, Code> {
    Ok(Member {
        id: dice.id(),
        name: person(dice)?,
        role: dice.role(),
        tracks: dice.tracks(),
        connection: [Connection::Connected, Connection::Reconnecting]
            [usize::from(dice.roll(6) == 0)],
        line: Carries::Pictures,
        clock: dice.clock(),
    })
}

fn line(dice: &mut Dice) -> Result<ChatLine, Code> {
    Ok(ChatLine {
        seq: dice.roll(60) as u64 + 1,
        from: dice.id(),
        name: person(dice)?,
        text: ChatText::new(dice.pick(&TEXTS))?,
        at_ms: dice.wall(),
    })
}

fn from_relay(dice: &mut Dice) -> Result<RelayMessage, Code> {
    Ok(match dice.roll(12) {
        0 => {
            let name = RoomName::new(dice.pick(&ROOMS))?;
            let members = (0..=dice.roll(5))
                .map(|_| member(dice))
                .collect::<Result<Vec<_>, _>>()?;
            let room = RoomInfo {
                id: RoomId(dice.bytes()),
                name,
                kind: dice.kind(),
                members: members.len() as u32,
                waiting: dice.roll(2) == 0,
                since_ms: dice.wall(),
            };
            let chat = (0..dice.roll(6))
                .map(|_| line(dice))
                .collect::<Result<_, _>>()?;
            RelayMessage::Joined {
                room,
                you: dice.id(),
                members,
                chat,
            }
        }
        1 => RelayMessage::Left,
        2 | 3 => RelayMessage::MemberJoined {
            member: member(dice)?,
        },
        4 | 5 => RelayMessage::MemberChanged {
            member: member(dice)?,
        },
        6 => RelayMessage::MemberLeft {
            member: dice.id(),
            reason: [LeaveReason::Left, LeaveReason::Lost][dice.roll(2)],
        },
        7 | 8 => RelayMessage::Chat(line(dice)?),
        9 => RelayMessage::KeyFrame {
            track: dice.track(),
        },
        10 => {
            let codes = [
                Code::RoomMissing,
                Code::RoomFull,
                Code::Malformed,
                Code::RateLimited,
            ];
            let reply_to = Some(dice.roll(99) as u64 + 1);
            RelayMessage::Error {
                code: codes[dice.roll(codes.len())],
                reply_to,
            }
        }
        _ => RelayMessage::Send {
            tracks: (0..dice.roll(4))
                .map(|track| SendTrack {
                    track: TrackId(track as u8),
                    size: dice.size(),
                })
                .collect(),
        },
    })
}

fn from_client(dice: &mut Dice) -> Result<ClientMessage, Code> {
    Ok(match dice.roll(9) {
        0 | 1 => ClientMessage::Join {
            room: if dice.roll(2) == 0 {
                RoomChoice::Id {
                    id: RoomId(dice.bytes()),
                }
            } else {
                let name = RoomName::new(dice.pick(&ROOMS))?;
                RoomChoice::Name {
                    name,
                    create: Some(dice.kind()),
                }
            },
            name: person(dice)?,
            role: dice.role(),
            decodes: dice.decodes(),
            watch: dice.watch(),
            clock: dice.clock(),
        },
        2 => ClientMessage::Leave,
        3 => ClientMessage::Tracks {
            tracks: dice.tracks(),
        },
        4 | 5 => ClientMessage::Watch(dice.watch()),
        6 => ClientMessage::Decodes {
            decodes: dice.decodes(),
        },
        7 => ClientMessage::Chat {
            text: ChatText::new(dice.pick(&TEXTS))?,
        },
        _ => ClientMessage::NeedKeyFrame {
            member: dice.id(),
            track: dice.track(),
        },
    })
}

fn sample(dice: &mut Dice) -> Result<String, Box<dyn Error>> {
    let (n, ack) = (dice.roll(400) as u64 + 1, dice.roll(400) as u64);
    Ok(match dice.roll(20) {
        0 => write(&RelayPacket::Welcome(Welcome {
            version: 1,
            session: SessionId(dice.bytes()),
            secret: Secret(dice.bytes()),
            resumed: dice.roll(4) == 0,
            received: ack,
            heartbeat_ms: 3000,
            grace_ms: 30_000,
            max_packet: 65_536,
            compression: Some(Compression::Zstd1),
            webrtc: false,
        }))?,
        1 => write(&ClientPacket::Hello(Hello {
            versions: vec![1],
            resume: None,
            compression: vec![Compression::Zstd1],
        }))?,
        2..8 => write(&ClientPacket::Message {
            n,
            ack,
            body: from_client(dice)?,
        })?,
        _ => write(&RelayPacket::Message {
            n,
            ack,
            body: from_relay(dice)?,
        })?,
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args_os()
        .nth(1)
        .ok_or("say where to write the dictionary")?;
    let mut dice = Dice(1);
    let samples = (0..SAMPLES)
        .map(|_| sample(&mut dice))
        .collect::<Result<Vec<_>, _>>()?;
    let dictionary = zstd::dict::from_samples(&samples, SIZE)?;
    fs::write(file, &dictionary)?;

    let fresh = (0..500)
        .map(|_| sample(&mut dice))
        .collect::<Result<Vec<_>, _>>()?;
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary)?;
    let (mut before, mut after) = (0, 0);
    for text in &fresh {
        before += text.len();
        after += compressor.compress(text.as_bytes())?.len().min(text.len());
    }
    eprintln!(
        "{} bytes; 500 other packets: {before} bytes, compressed {after}",
        dictionary.len()
    );
    Ok(())
}
