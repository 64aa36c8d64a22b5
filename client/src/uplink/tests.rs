//! The queues and the session together.

use visita_protocol::{
    frame::References,
    media::{Kind, Layer},
    name::ChatText,
    time::MediaTime,
};

use super::*;

const TRACK: TrackId = TrackId(0);
const VOICE: TrackId = TrackId(8);

fn header(sequence: u32, references: References) -> Header {
    Header {
        sender: SELF,
        track: TRACK,
        layer: Layer::default(),
        sequence,
        timestamp: MediaTime(7),
        chunk: 0,
        chunks: 1,
        references,
        level: None,
    }
}

fn chat(text: &str) -> ClientMessage {
    ClientMessage::Chat {
        text: ChatText::new(text).unwrap(),
    }
}

fn connected() -> Uplink {
    connected_with(1000)
}

fn connected_with(max_chunk: usize) -> Uplink {
    let uplink = Uplink::new();
    uplink.connected(0, None, max_chunk).unwrap();
    let selected = |track, kind| Selected {
        track,
        kind,
        layer: 0,
    };
    uplink.route(&[selected(TRACK, Kind::Video), selected(VOICE, Kind::Audio)]);
    uplink
}

/// All that would be sent now: control packets' JSON, and chunks' sequence and index.
fn drain(uplink: &Uplink) -> (Vec<String>, Vec<(u32, u16)>) {
    let (mut control, mut chunks) = (Vec::new(), Vec::new());
    loop {
        let item = uplink.lock().pop(now()).unwrap();
        match item {
            Some(Next::Send(carrier::Message::Control(json))) => {
                assert!(chunks.is_empty(), "control goes before media");
                control.push(json);
            }
            Some(Next::Send(carrier::Message::Media(bytes))) => {
                let (header, _) = Header::parse(&bytes).unwrap();
                chunks.push((header.sequence, header.chunk));
            }
            Some(_) => panic!("nothing else was queued"),
            None => return (control, chunks),
        }
    }
}

#[test]
fn control_goes_before_pictures_and_large_ones_in_chunks() {
    let uplink = connected();
    assert_eq!(
        uplink.frame(header(0, References::NONE), &[0; 2500]),
        Fate::Queued
    );
    uplink.say(chat("a")).unwrap();
    uplink.ping(1).unwrap();
    let (control, chunks) = drain(&uplink);
    assert_eq!(control.len(), 2);
    assert_eq!(chunks, [(0, 0), (0, 1), (0, 2)]);
}

#[test]
fn what_was_said_while_lost_goes_out_once_and_in_order_with_the_next_connection() {
    let uplink = connected();
    uplink.say(chat("a")).unwrap();
    uplink.say(chat("b")).unwrap();
    drain(&uplink);
    uplink.lost();
    uplink.say(chat("c")).unwrap();
    assert_eq!(drain(&uplink), (vec![], vec![]));
    // The host received the first, and not the second.
    uplink.connected(1, None, 1000).unwrap();
    let (control, _) = drain(&uplink);
    let numbers: Vec<u64> = control
        .iter()
        .map(|json| match serde_json::from_str(json).unwrap() {
            ClientPacket::Message { n, .. } => n,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [2, 3]);
}

#[test]
fn a_new_connection_begins_with_a_key_frame_that_is_asked_for_once() {
    let uplink = connected();
    let delta = References::new(&[1]).unwrap();
    assert_eq!(
        uplink.frame(header(0, References::NONE), &[0; 10]),
        Fate::Queued
    );
    assert_eq!(uplink.frame(header(1, delta), &[0; 10]), Fate::Queued);
    uplink.lost();
    assert_eq!(uplink.frame(header(2, delta), &[0; 10]), Fate::Dropped);
    uplink.connected(0, None, 1000).unwrap();
    assert_eq!(
        uplink.frame(header(3, delta), &[0; 10]),
        Fate::DroppedAndNeedsKeyFrame
    );
    assert_eq!(uplink.frame(header(4, delta), &[0; 10]), Fate::Dropped);
    assert_eq!(
        uplink.frame(header(5, References::NONE), &[0; 10]),
        Fate::Queued
    );
    assert_eq!(uplink.frame(header(6, delta), &[0; 10]), Fate::Queued);
    assert_eq!(drain(&uplink).1, [(5, 0), (6, 0)]);
}

fn voice(sequence: u32) -> Header {
    Header {
        track: VOICE,
        ..header(sequence, References::NONE)
    }
}

#[test]
fn sound_goes_between_the_chunks_of_a_picture_and_is_not_dropped_for_it() {
    let uplink = connected_with(CHUNK);
    uplink.slow(true);
    // Half a megabyte of picture waits, and a second of sound comes on top of it.
    let key = |sequence| uplink.frame(header(sequence, References::NONE), &vec![0; 200_000]);
    assert_eq!([key(0), key(1)], [Fate::Queued; 2]);
    let pop = || loop {
        let next = uplink.lock().pop(now()).unwrap();
        match next {
            Some(Next::Send(carrier::Message::Media(bytes))) => {
                let (header, at) = Header::parse(&bytes).unwrap();
                return (header.track, header.sequence, bytes.len() - at);
            }
            // On a slow line pictures wait for what went before: it has come.
            Some(Next::Send(carrier::Message::Control(json))) => {
                let ClientPacket::Ping { id } = serde_json::from_str(&json).unwrap() else {
                    panic!("nothing was said");
                };
                uplink.pong(id);
            }
            _ => panic!("media waits"),
        }
    };
    for sequence in 0..50 {
        assert_eq!(pop(), (TRACK, 0, FINE));
        assert_eq!(uplink.frame(voice(sequence), &[0; 80]), Fate::Queued);
        assert_eq!(pop(), (VOICE, sequence, 80));
    }
    // Nothing that picture does costs sound: neither its queue's end nor a change of tracks.
    assert_eq!(uplink.frame(voice(50), &[0; 80]), Fate::Queued);
    for sequence in 2..40 {
        let _ = key(sequence);
    }
    assert_eq!(pop(), (VOICE, 50, 80));
}

#[test]
fn frames_that_nobody_wants_are_not_kept() {
    let uplink = connected();
    uplink.route(&[]);
    assert_eq!(
        uplink.frame(header(0, References::NONE), &[0; 10]),
        Fate::Dropped
    );
    assert_eq!(drain(&uplink).1, []);
}

#[test]
fn nothing_of_a_track_follows_that_isnt_wanted_any_more() {
    let uplink = connected_with(100);
    assert_eq!(
        uplink.frame(header(0, References::NONE), &[0; 1000]),
        Fate::Queued
    );
    assert!(uplink.lock().pop(now()).unwrap().is_some());
    uplink.route(&[]);
    uplink
        .say(ClientMessage::Tracks { tracks: Vec::new() })
        .unwrap();
    let (control, media) = drain(&uplink);
    assert_eq!((control.len(), media), (1, Vec::new()));
}

#[test]
fn many_messages_are_acknowledged_without_being_asked() {
    let uplink = connected();
    for n in 1..=session::ACK_EVERY {
        assert!(uplink.accept(n, 0).unwrap());
    }
    assert!(
        !uplink.accept(1, 0).unwrap(),
        "a duplicate is not handled twice"
    );
    let ack = format!(r#"{{"type":"ack","ack":{}}}"#, session::ACK_EVERY);
    assert_eq!(drain(&uplink).0, [ack]);
}
