//! What the app asks of Android itself; `DevicePlugin.kt` in `gen/android` does it.

use std::time::Duration;

use serde::Deserialize;
use tauri::{
    AppHandle, Manager as _, Runtime,
    plugin::{Builder, PluginHandle, TauriPlugin},
};
use tokio::time::interval;

use crate::{
    app::App,
    awake::{State, Wish},
    hosting::machine::{Batteries, Battery},
};

/// Where the class is, and what it is called.
const PACKAGE: &str = "org.visita.app";
const CLASS: &str = "DevicePlugin";

struct Device<R: Runtime>(PluginHandle<R>);

#[derive(Deserialize)]
struct Answer {
    kept: bool,
}

/// The way to the class.
pub(crate) fn plugin<R: Runtime>() -> TauriPlugin<R> {
    Builder::new("device")
        .setup(|tauri, api| {
            let handle = api.register_android_plugin(PACKAGE, CLASS)?;
            tauri.manage(Device(handle));
            Ok(())
        })
        .build()
}

#[derive(Deserialize)]
struct Leave {
    granted: bool,
}

/// Asks the person for the microphone, unless that was answered before. Rust opens it, so the web
/// view's own question isn't asked.
#[tauri::command]
pub(crate) async fn ask_microphone<R: Runtime>(tauri: AppHandle<R>) -> Result<(), ()> {
    let device = tauri.state::<Device<R>>();
    let answer = device
        .0
        .run_mobile_plugin_async::<Leave>("microphone", ())
        .await;
    let may = match answer {
        Ok(Leave { granted }) => granted,
        Err(error) => {
            tracing::warn!(%error, "nobody can be asked for the microphone");
            false
        }
    };
    tauri.state::<App>().sounds.may_hear(may);
    Ok(())
}

/// How often Android is asked for the battery.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What Android says of the battery: both or nothing.
#[derive(Deserialize)]
struct Power {
    percent: Option<u8>,
    plugged: Option<bool>,
}

/// Looks at the battery until the app ends.
pub(crate) async fn watch_battery<R: Runtime>(tauri: AppHandle<R>) {
    let hosting = tauri.state::<App>().hosting.clone();
    let mut every = interval(LOOK_EVERY);
    loop {
        every.tick().await;
        let device = tauri.state::<Device<R>>();
        let told = device.0.run_mobile_plugin_async::<Power>("power", ()).await;
        hosting.battery(match told {
            Ok(Power {
                percent: Some(percent),
                plugged,
            }) => Batteries::Some(Battery { percent, plugged }),
            Ok(Power { percent: None, .. }) => Batteries::Unknown,
            Err(error) => {
                tracing::warn!(%error, "nothing is known of the battery");
                return;
            }
        });
    }
}

/// Keeps the device awake as is wished, until the app ends: the screen in a call, and as host the
/// whole process, by a service that Android doesn't end.
pub(crate) async fn keep_awake<R: Runtime>(tauri: AppHandle<R>) {
    let awake = tauri.state::<App>().awake.clone();
    let mut wishes = awake.wishes();
    while wishes.changed().await.is_ok() {
        let wish = *wishes.borrow_and_update();
        let device = tauri.state::<Device<R>>();
        let answer = device
            .0
            .run_mobile_plugin_async::<Answer>("keep", wish)
            .await;
        awake.became(match answer {
            _ if wish == Wish::default() => State::Off,
            Ok(Answer { kept: true }) => State::Kept,
            Ok(Answer { kept: false }) => State::Refused,
            Err(error) => {
                tracing::warn!(%error, "the device isn't kept awake");
                State::Refused
            }
        });
    }
}
