//! The microphones and loudspeakers of this device: which there are, which were chosen, and the
//! own sound before a call.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use visita_media::sound::{
    devices::{self, Device, DeviceId, Devices},
    listen::Output,
    played::Played,
    source::Choice,
};

use crate::calls::MicState;

mod check;
mod play;
mod signal;

pub use check::{CheckEvent, SampleState};
pub use signal::Signal;

use check::Check;
use play::Playing;

/// How often it is looked whether a device was plugged in or out, while that matters to somebody:
/// as soon as a person looks up from the cable.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The devices there are, as the page takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct List {
    microphones: Vec<Named>,
    microphone: Option<String>,
    speakers: Vec<Named>,
    speaker: Option<String>,
    processes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Named {
    id: String,
    name: String,
}

impl From<&Device> for Named {
    fn from(device: &Device) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name.clone(),
        }
    }
}

/// What sound is taken from and played on.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// From there it comes.
    pub microphone: Choice,
    /// There it is heard.
    pub speaker: Output,
    /// Whether echo is cancelled, noise suppressed and gain controlled.
    pub process: bool,
}

/// What a person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    microphone: Option<DeviceId>,
    speaker: Option<DeviceId>,
    process: bool,
    /// The system asked the person, who doesn't let this program hear.
    refused: bool,
}

/// The devices of sound, and the check, of which there is one at a time.
pub struct Sounds {
    /// What takes the microphone's place, if that was set.
    stand_in: Option<Choice>,
    /// Whether nothing is ever heard, as was set.
    silent: bool,
    wish: watch::Sender<Wish>,
    /// What was found last; `None` before anybody looked.
    found: Mutex<Option<Devices>>,
    /// What the check plays, for its echo canceller.
    played: Played,
    /// Locked while a microphone is opened or closed, so that a call waits for it.
    check: tokio::sync::Mutex<Option<Check>>,
    tone: Mutex<Option<Playing>>,
}

impl Sounds {
    /// The system's devices, or what was set to take their place.
    pub fn new(microphone: Choice, speaker: Output) -> Self {
        let (silent, speaker) = match speaker {
            Output::None => (true, None),
            Output::Device(id) => (false, id),
        };
        let (stand_in, microphone) = match microphone {
            Choice::Microphone(id) => (None, id),
            stand_in => (Some(stand_in), None),
        };
        Self {
            stand_in,
            silent,
            wish: watch::Sender::new(Wish {
                microphone,
                speaker,
                process: true,
                refused: false,
            }),
            found: Mutex::default(),
            played: Played::new(),
            check: tokio::sync::Mutex::default(),
            tone: Mutex::default(),
        }
    }

    /// Tells the devices there are, and each change, for as long as somebody listens.
    pub async fn watch(&self, tell: impl Fn(List) -> bool) {
        let mut wish = self.wish.subscribe();
        let mut told = None;
        loop {
            self.look().await;
            let list = self.list();
            if told.as_ref() != Some(&list) {
                if !tell(list.clone()) {
                    return;
                }
                told = Some(list);
            }
            wait(&mut wish).await;
        }
    }

    /// Takes sound from this microphone from now on, where it is there.
    pub fn choose_microphone(&self, id: String) {
        self.wish(|wish| wish.microphone = Some(DeviceId::new(id)));
    }

    /// Plays on this loudspeaker from now on, where it is there.
    pub fn choose_speaker(&self, id: String) {
        self.wish(|wish| wish.speaker = Some(DeviceId::new(id)));
    }

    /// Whether echo is cancelled, noise suppressed and gain controlled from now on.
    pub fn process(&self, process: bool) {
        self.wish(|wish| wish.process = process);
    }

    /// Whether the person lets this program hear, where the system asks.
    pub fn may_hear(&self, may: bool) {
        self.wish(|wish| wish.refused = !may);
    }

    fn wish(&self, change: impl FnOnce(&mut Wish)) {
        self.wish.send_if_modified(|wish| {
            let before = wish.clone();
            change(wish);
            *wish != before
        });
    }

    /// A device failed: another may have to take its place, now.
    pub fn look_again(&self) {
        self.wish.send_modify(|_| {});
    }

    /// Where sound comes from and goes: what was chosen, or the system's default where that isn't
    /// there.
    pub async fn taken(&self) -> Taken {
        let wishes = {
            let wish = self.wish.borrow();
            wish.microphone.is_some() || wish.speaker.is_some()
        };
        if wishes && self.found().is_none() {
            self.look().await;
        }
        self.chosen()
    }

    /// Tells what is taken whenever it is something else than `now`.
    pub fn changes(self: &Arc<Self>, now: Taken) -> Changes {
        Changes {
            wish: self.wish.subscribe(),
            sounds: self.clone(),
            now,
        }
    }

    /// What is said of the microphone while sound is taken from nowhere.
    pub fn without(&self) -> MicState {
        if self.wish.borrow().refused {
            MicState::Denied
        } else {
            MicState::Missing
        }
    }

    /// Whether there could be sound of one's own, without opening anything.
    pub async fn capability(&self) -> MicState {
        self.look().await;
        let found = self.found();
        match &*found {
            _ if self.wish.borrow().refused => MicState::Denied,
            Some(found) if !found.microphones.is_empty() => MicState::Off,
            _ => MicState::Missing,
        }
    }

    /// Opens the microphone, and tells how loud it is until [`Sounds::end_check`].
    pub async fn check(self: &Arc<Self>, tell: impl Fn(CheckEvent) + Send + 'static) {
        let mut check = self.check.lock().await;
        if let Some(before) = check.take() {
            before.end().await;
        }
        let taken = self.taken().await;
        match Check::start(self.clone(), taken, self.played.clone(), tell) {
            Ok(begun) => *check = Some(begun),
            Err(error) => tracing::error!(%error, "no thread for the microphone"),
        }
    }

    /// Takes up a few seconds, and plays them once.
    pub async fn sample(&self) {
        if let Some(check) = &*self.check.lock().await {
            check.sample();
        }
    }

    /// Gives the microphone and the loudspeaker back. Once this returns a call can open them.
    pub async fn end_check(&self) {
        let tone = lock(&self.tone).take();
        if let Some(tone) = tone {
            tone.stop().await;
        }
        if let Some(check) = self.check.lock().await.take() {
            check.end().await;
        }
    }

    /// Plays a short tone.
    pub async fn tone(&self) {
        let speaker = self.taken().await.speaker;
        match play::tone(speaker, self.played.clone()) {
            // The one before it, if it still sounds, ends.
            Ok(playing) => drop(lock(&self.tone).replace(playing)),
            Err(error) => tracing::warn!(%error, "there is no tone"),
        }
    }

    /// Plays a soft sound. Where something else of the app's own sounds, or nothing is heard, there is
    /// none.
    pub async fn signal(&self, which: Signal) {
        let speaker = self.taken().await.speaker;
        let mut tone = lock(&self.tone);
        if speaker == Output::None || tone.as_ref().is_some_and(|tone| !tone.is_over()) {
            return;
        }
        match play::sound(speaker, self.played.clone(), which.blocks()) {
            Ok(playing) => *tone = Some(playing),
            Err(error) => tracing::warn!(%error, "a soft sound isn't played"),
        }
    }

    async fn look(&self) {
        let found = if self.stand_in.is_some() && self.silent {
            Devices::default()
        } else {
            // Why there are none is said when one is opened.
            let listed = spawn_blocking(devices::list).await;
            listed.ok().and_then(Result::ok).unwrap_or_default()
        };
        let microphones = match &self.stand_in {
            None => found.microphones,
            Some(Choice::None) => Vec::new(),
            Some(stand_in) => vec![Device {
                id: DeviceId::new("stand-in"),
                name: match stand_in {
                    Choice::Tone(_) => "Tone".into(),
                    _ => "File".into(),
                },
                default: true,
            }],
        };
        let speakers = if self.silent {
            Vec::new()
        } else {
            found.speakers
        };
        *self.found() = Some(Devices {
            microphones,
            speakers,
        });
    }

    fn list(&self) -> List {
        let found = self.found().clone().unwrap_or_default();
        let wish = self.wish.borrow().clone();
        List {
            microphones: found.microphones.iter().map(Named::from).collect(),
            microphone: used(&found.microphones, wish.microphone.as_ref()),
            speakers: found.speakers.iter().map(Named::from).collect(),
            speaker: used(&found.speakers, wish.speaker.as_ref()),
            processes: wish.process,
        }
    }

    /// The same as [`Sounds::taken`], of what was found last: nobody waits for the system.
    pub fn chosen(&self) -> Taken {
        let found = self.found().clone().unwrap_or_default();
        let wish = self.wish.borrow();
        Taken {
            microphone: match &self.stand_in {
                _ if wish.refused => Choice::None,
                Some(stand_in) => stand_in.clone(),
                None => Choice::Microphone(there(&found.microphones, wish.microphone.as_ref())),
            },
            speaker: if self.silent {
                Output::None
            } else {
                Output::Device(there(&found.speakers, wish.speaker.as_ref()))
            },
            // What stands for a microphone is heard as it is: for the processing a tone is noise.
            process: wish.process && self.stand_in.is_none(),
        }
    }

    fn found(&self) -> MutexGuard<'_, Option<Devices>> {
        lock(&self.found)
    }
}

/// Which of the devices is used: the one chosen, else the system's default.
fn used(devices: &[Device], wish: Option<&DeviceId>) -> Option<String> {
    let chosen = devices.iter().find(|device| Some(&device.id) == wish);
    let chosen = chosen.or_else(|| devices.iter().find(|device| device.default));
    Some(chosen.or(devices.first())?.id.to_string())
}

/// The device chosen, if it is there. Where it isn't, the system's default stands in until it is: a
/// patient who can't touch anything must be heard, and must hear.
fn there(devices: &[Device], wish: Option<&DeviceId>) -> Option<DeviceId> {
    let chosen = devices.iter().find(|device| Some(&device.id) == wish)?;
    Some(chosen.id.clone())
}

/// Until another wish, or the next look.
async fn wait(wish: &mut watch::Receiver<Wish>) {
    tokio::select! {
        () = sleep(LOOK_EVERY) => {}
        _ = wish.changed() => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is taken, as it changes. Devices are looked for while somebody waits for the next change.
pub struct Changes {
    wish: watch::Receiver<Wish>,
    sounds: Arc<Sounds>,
    now: Taken,
}

impl Changes {
    /// What was taken, and what is taken now.
    pub async fn next(&mut self) -> (Taken, Taken) {
        loop {
            self.sounds.look().await;
            let chosen = self.sounds.chosen();
            if chosen != self.now {
                let before = std::mem::replace(&mut self.now, chosen.clone());
                return (before, chosen);
            }
            wait(&mut self.wish).await;
        }
    }
}

#[cfg(test)]
mod tests;
