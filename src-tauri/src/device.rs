//! What the app asks of Android itself; `DevicePlugin.kt` in `gen/android` does it.

use serde::Deserialize;
use tauri::{
    AppHandle, Manager as _, Runtime,
    plugin::{Builder, PluginHandle, TauriPlugin},
};

use crate::{
    app::App,
    awake::{State, Wish},
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
