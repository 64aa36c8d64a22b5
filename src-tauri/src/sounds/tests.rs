//! The devices as the page is told of them, and the check, without any hardware.

use tokio::{sync::mpsc, time::timeout};

use super::*;

/// How long anything may take before a test gives up; nothing is judged by it.
const PATIENCE: Duration = Duration::from_secs(30);

fn sounds(microphone: &str, speaker: &str) -> Arc<Sounds> {
    let (microphone, speaker) = (microphone.parse().unwrap(), speaker.parse().unwrap());
    Arc::new(Sounds::new(microphone, speaker))
}

fn device(id: &str, default: bool) -> Device {
    Device {
        id: DeviceId::new(id),
        name: format!("The {id}"),
        default,
    }
}

/// A microphone in the tablet and one in a headset, and the same of loudspeakers.
fn plug(sounds: &Sounds, headset: bool) {
    let mut devices = Devices {
        microphones: vec![device("own", true)],
        speakers: vec![device("loud", true)],
    };
    if headset {
        devices.microphones.insert(0, device("headset", false));
        devices.speakers.push(device("phones", false));
    }
    *sounds.found() = Some(devices);
}

#[tokio::test]
async fn what_takes_the_devices_place_is_the_list() {
    let list = async |microphone, speaker| {
        let (told, mut lists) = mpsc::unbounded_channel();
        let sounds = sounds(microphone, speaker);
        sounds
            .watch(move |list| {
                told.send(list).unwrap();
                false
            })
            .await;
        serde_json::to_value(lists.recv().await.unwrap()).unwrap()
    };
    assert_eq!(
        list("tone:440", "none").await,
        serde_json::json!({
            "microphones": [{ "id": "stand-in", "name": "Tone" }], "microphone": "stand-in",
            "speakers": [], "speaker": null, "processes": true,
        })
    );
    assert_eq!(
        list("none", "none").await,
        serde_json::json!({
            "microphones": [], "microphone": null, "speakers": [], "speaker": null,
            "processes": true,
        })
    );
}

#[tokio::test]
async fn what_was_chosen_is_taken_while_it_is_there_and_the_default_else() {
    let sounds = sounds("mic", "device");
    let own = Taken {
        microphone: Choice::Microphone(None),
        speaker: Output::Device(None),
        process: true,
    };
    plug(&sounds, true);
    assert_eq!(sounds.taken().await, own);
    let list = sounds.list();
    assert_eq!(list.microphone.as_deref(), Some("own"));
    assert_eq!(list.speaker.as_deref(), Some("loud"));
    sounds.choose_microphone("headset".into());
    sounds.choose_speaker("phones".into());
    sounds.process(false);
    let headset = Taken {
        microphone: Choice::Microphone(Some(DeviceId::new("headset"))),
        speaker: Output::Device(Some(DeviceId::new("phones"))),
        process: false,
    };
    assert_eq!(sounds.taken().await, headset);
    assert_eq!(sounds.list().microphone.as_deref(), Some("headset"));
    plug(&sounds, false);
    assert_eq!(
        sounds.taken().await,
        Taken {
            process: false,
            ..own
        }
    );
    assert_eq!(sounds.list().speaker.as_deref(), Some("loud"));
    plug(&sounds, true);
    assert_eq!(sounds.taken().await, headset, "plugged in again");
}

#[tokio::test]
async fn who_may_not_hear_takes_sound_from_nowhere_and_says_why() {
    let sounds = sounds("tone:440", "none");
    let taken = sounds.taken().await;
    assert_eq!(sounds.capability().await, MicState::Off);
    let mut changes = sounds.changes(taken.clone());
    sounds.may_hear(false);
    let (before, now) = changes.next().await;
    assert_eq!((before, now.microphone), (taken.clone(), Choice::None));
    assert_eq!(sounds.without(), MicState::Denied);
    assert_eq!(sounds.capability().await, MicState::Denied);
    sounds.may_hear(true);
    assert_eq!(changes.next().await.1, taken, "asked again, and allowed");
}

#[tokio::test]
async fn there_may_be_no_microphone() {
    let sounds = sounds("none", "none");
    assert_eq!(sounds.capability().await, MicState::Missing);
    let (told, mut events) = mpsc::unbounded_channel();
    sounds
        .check(move |event| {
            let _ = told.send(event);
        })
        .await;
    let state = MicState::Missing;
    let event = timeout(PATIENCE, events.recv()).await.unwrap();
    assert_eq!(event, Some(CheckEvent::Microphone { state }));
    sounds.sample().await;
    sounds.end_check().await;
}

/// What the check tells besides levels.
async fn next(events: &mut mpsc::UnboundedReceiver<CheckEvent>) -> Option<CheckEvent> {
    loop {
        match timeout(PATIENCE, events.recv()).await.unwrap() {
            Some(CheckEvent::Level { .. }) => {}
            event => return event,
        }
    }
}

#[tokio::test]
async fn a_sample_is_taken_up_played_once_and_the_microphone_given_back() {
    let sounds = sounds("tone:440", "none");
    let (told, mut events) = mpsc::unbounded_channel();
    sounds
        .check(move |event| {
            let _ = told.send(event);
        })
        .await;
    for state in [MicState::Starting, MicState::On] {
        let event = Some(CheckEvent::Microphone { state });
        assert_eq!(next(&mut events).await, event);
    }
    let CheckEvent::Level { level } = timeout(PATIENCE, events.recv()).await.unwrap().unwrap()
    else {
        panic!("no level");
    };
    assert!(level > -60, "{level}");
    sounds.sample().await;
    for state in [
        SampleState::Recording,
        SampleState::Playing,
        SampleState::None,
    ] {
        let event = Some(CheckEvent::Sample { state });
        assert_eq!(next(&mut events).await, event);
    }
    sounds.end_check().await;
    assert_eq!(next(&mut events).await, None, "its task is gone");
}

#[tokio::test]
async fn a_check_that_ends_while_a_sample_is_played_waits_for_nothing() {
    let sounds = sounds("tone:440", "none");
    let (told, mut events) = mpsc::unbounded_channel();
    sounds
        .check(move |event| {
            let _ = told.send(event);
        })
        .await;
    while next(&mut events).await
        != Some(CheckEvent::Microphone {
            state: MicState::On,
        })
    {}
    sounds.sample().await;
    while next(&mut events).await
        != Some(CheckEvent::Sample {
            state: SampleState::Playing,
        })
    {}
    sounds.tone().await;
    sounds.end_check().await;
    assert_eq!(next(&mut events).await, None);
}
