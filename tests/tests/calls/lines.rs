//! Lines that carry sound and no pictures: who is told what, and how it comes back by itself.

use visita_client::{address::HostUrl, call::Event, pictures::Whose};
use visita_media::source::Choice;
use visita_protocol::{
    control::{Carries, Member, RelayMessage},
    id::MemberId,
    media::Source,
};

use super::{
    sound::{counted, hears, join, session, tone},
    support::{Participant, large, options},
};
use crate::common::Server;
use visita_tests::line::{Line, Rates};

/// Enough for sound at its best (7.4 kB a second on the wire), and not for a key frame a second of the
/// small layer.
const DOWN: u32 = 7_800;

/// Enough for sound at its least, which keeps within it, and not for a key frame a second of
/// the least picture.
const UP: u32 = 4_800;

/// Five seconds of sound, in frames.
const FIVE_SECONDS: u64 = 250;

/// Sound and the full picture.
fn ana() -> visita_client::call::Options {
    let mut options = tone("Ana", 440.0);
    options.video = Choice::Synthetic(large());
    options
}

async fn behind(
    server: &Server,
    line: &Line,
    options: visita_client::call::Options,
) -> Participant {
    let mut slow = session(server);
    slow.urls = vec![HostUrl::from_socket(line.address())];
    Participant::join(slow, options).await
}

/// Until the relay says that the line carries this.
async fn is_told(whom: &mut Participant, wanted: Carries) {
    whom.until(|event| match event {
        Event::Relay(RelayMessage::Line { carries }) => (*carries == wanted).then_some(()),
        _ => None,
    })
    .await;
}

/// Until a member is seen so.
async fn sees(whom: &mut Participant, id: MemberId, wanted: impl Fn(&Member) -> bool) {
    whom.until(|event| match event {
        Event::Relay(RelayMessage::MemberChanged { member }) if member.id == id => {
            wanted(member).then_some(())
        }
        _ => None,
    })
    .await;
}

fn has_camera(member: &Member) -> bool {
    let mut tracks = member.tracks.iter();
    tracks.any(|track| track.source == Source::Camera)
}

/// Five seconds of sound, of which hardly any is missing.
async fn hears_on(whom: &Participant, from: MemberId) {
    let before = hears(whom, from, |_| true).await;
    let after = hears(whom, from, |row| {
        row.frames_received >= before.frames_received + FIVE_SECONDS
    })
    .await;
    let received = after.frames_received - before.frames_received;
    let concealed = after.sound().unwrap().concealed_ms - before.sound().unwrap().concealed_ms;
    println!("{received} received, {concealed} ms concealed");
    assert!(concealed * 10 <= received * 20, "{concealed} ms concealed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_no_pictures_is_told_so_hears_and_is_told_when_they_are_back() {
    let server = Server::start(|_| {}).await;
    let (up, down) = (None, Some(DOWN));
    let line = Line::carrying(server.address, Rates { up, down });
    let ana = join(&server, ana()).await;
    let mut luis = behind(&server, &line, options("Luis", Choice::None)).await;
    is_told(&mut luis, Carries::Sound).await;
    hears_on(&luis, ana.id()).await;
    line.carry(Rates::FAST);
    is_told(&mut luis, Carries::Pictures).await;
    luis.pictures(ana.id(), 30).await;
    luis.leave().await;
    ana.leave().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_doesnt_pass_is_paused_for_the_sounds_sake_and_tried_again() {
    let server = Server::start(|_| {}).await;
    let (up, down) = (Some(UP), None);
    let line = Line::carrying(server.address, Rates { up, down });
    let mut luis = join(&server, options("Luis", Choice::None)).await;
    let mut ana = behind(&server, &line, ana()).await;
    let ana_id = ana.id();
    let carries = |event: &Event| match event {
        Event::Uplink(carries) => Some(*carries),
        _ => None,
    };
    assert_eq!(ana.until(carries).await, Carries::Sound);
    let weak = |member: &Member| member.line == Carries::Sound;
    sees(&mut luis, ana_id, |member| {
        weak(member) && !has_camera(member)
    })
    .await;
    // She goes on seeing herself, and is heard.
    let own = async {
        let pictures = ana.call.pictures();
        for _ in 0..10 {
            while !pictures
                .next()
                .await
                .iter()
                .any(|(whose, _)| *whose == Whose::Own)
            {}
        }
    };
    tokio::join!(own, hears_on(&luis, ana_id));
    line.carry(Rates::FAST);
    assert_eq!(ana.until(carries).await, Carries::Pictures);
    sees(&mut luis, ana_id, |member| {
        !weak(member) && has_camera(member)
    })
    .await;
    luis.pictures(ana_id, 30).await;
    // Nothing of the picture came after the word that it isn't sent.
    assert_eq!(counted(&server, "visita_chunks_refused_total").await, 0);
    luis.leave().await;
    ana.leave().await;
    server.end().await;
}
