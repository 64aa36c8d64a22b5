package org.visita.app

import android.Manifest
import android.app.Activity
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.net.wifi.WifiManager
import android.os.BatteryManager
import android.os.Build
import android.view.WindowManager
import android.webkit.WebView
import androidx.appcompat.app.AppCompatActivity
import app.tauri.PermissionState
import app.tauri.annotation.Command
import app.tauri.annotation.InvokeArg
import app.tauri.annotation.Permission
import app.tauri.annotation.PermissionCallback
import app.tauri.annotation.TauriPlugin
import app.tauri.plugin.Invoke
import app.tauri.plugin.JSObject
import app.tauri.plugin.Plugin

/** Why the device should stay awake, as `src-tauri/src/awake.rs` has it. */
@InvokeArg
class KeepArgs {
  var hosts: Boolean = false
  var calls: Boolean = false
}

/**
 * What the app asks of Android itself: to stay awake in a call, to go on hosting when another app
 * is in front, to let multicast through, to say what there is of a battery, and to let it hear. The
 * page's own camera asks for its leave by itself (wry's web view does that); the microphone is
 * Rust's, which can't.
 */
@TauriPlugin(
  permissions = [
    Permission(strings = [Manifest.permission.POST_NOTIFICATIONS], alias = NOTIFICATIONS),
    Permission(strings = [Manifest.permission.RECORD_AUDIO], alias = MICROPHONE)
  ]
)
class DevicePlugin(private val activity: Activity) : Plugin(activity) {
  private var multicast: WifiManager.MulticastLock? = null
  private var waiting: KeepArgs? = null

  override fun load(webView: WebView) {
    val wifi = activity.applicationContext.getSystemService(Context.WIFI_SERVICE) as? WifiManager
    multicast = wifi?.createMulticastLock("visita")?.apply { setReferenceCounted(false) }
    multicast?.acquire()
  }

  // Without the lock Android's Wi-Fi filters multicast to save power: hosts wouldn't be found.
  override fun onResume(activity: AppCompatActivity) {
    multicast?.acquire()
  }

  // In the background nobody looks for hosts; as host the service has a lock of its own.
  override fun onStop(activity: AppCompatActivity) {
    multicast?.release()
  }

  override fun onDestroy(activity: AppCompatActivity) {
    multicast?.release()
    HostingService.stop(activity)
  }

  /** Keeps the device awake as long as it is wished. Answers whether it is. */
  @Command
  fun keep(invoke: Invoke) {
    val wish = invoke.parseArgs(KeepArgs::class.java)
    activity.runOnUiThread {
      if (wish.calls) activity.window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
      else activity.window.clearFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
    }
    if (wish.hosts && !mayNotify()) {
      // Android hides the notification of one who may not notify; hosting goes on either way.
      waiting = wish
      requestPermissionForAlias(NOTIFICATIONS, invoke, "notificationsAnswered")
    } else {
      host(invoke, wish)
    }
  }

  /** The battery as Android tells it to whoever asks: `percent` and `plugged`, or nothing. */
  @Command
  fun power(invoke: Invoke) {
    val told = JSObject()
    // Nobody is registered: Android keeps the last word on the battery, and gives it.
    val battery = activity.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
    if (battery != null && battery.getBooleanExtra(BatteryManager.EXTRA_PRESENT, true)) {
      val level = battery.getIntExtra(BatteryManager.EXTRA_LEVEL, -1)
      val scale = battery.getIntExtra(BatteryManager.EXTRA_SCALE, 0)
      if (level >= 0 && scale > 0) {
        told.put("percent", (100 * level / scale).coerceIn(0, 100))
        told.put("plugged", battery.getIntExtra(BatteryManager.EXTRA_PLUGGED, 0) != 0)
      }
    }
    invoke.resolve(told)
  }

  /** Whether the app may hear. Asks the person unless that is settled. */
  @Command
  fun microphone(invoke: Invoke) {
    if (mayHear()) microphoneAnswered(invoke)
    else requestPermissionForAlias(MICROPHONE, invoke, "microphoneAnswered")
  }

  @PermissionCallback
  fun microphoneAnswered(invoke: Invoke) {
    invoke.resolve(JSObject().put("granted", mayHear()))
  }

  private fun mayHear() = getPermissionState(MICROPHONE) == PermissionState.GRANTED

  @PermissionCallback
  fun notificationsAnswered(invoke: Invoke) {
    val wish = waiting ?: KeepArgs()
    waiting = null
    host(invoke, wish)
  }

  private fun mayNotify() =
    Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU ||
      getPermissionState(NOTIFICATIONS) != PermissionState.PROMPT

  private fun host(invoke: Invoke, wish: KeepArgs) {
    try {
      if (wish.hosts) HostingService.start(activity) else HostingService.stop(activity)
      invoke.resolve(JSObject().put("kept", true))
    } catch (refused: IllegalStateException) {
      // Android 12 and later start no service for an app that is in the background.
      invoke.resolve(JSObject().put("kept", false))
    } catch (refused: SecurityException) {
      invoke.resolve(JSObject().put("kept", false))
    }
  }
}

private const val NOTIFICATIONS = "notifications"
private const val MICROPHONE = "microphone"
