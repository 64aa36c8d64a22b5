package org.visita.app

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Service
import android.content.Context
import android.content.Intent
import android.content.pm.ServiceInfo
import android.net.wifi.WifiManager
import android.os.Build
import android.os.IBinder
import android.os.PowerManager
import androidx.core.app.NotificationCompat
import androidx.core.content.ContextCompat

/**
 * Says to Android, and by a notification to the person, that this device is host: the process goes
 * on while another app is in front or the screen is dark, with the processor and Wi-Fi awake. The
 * relay itself is Rust's, in the same process.
 */
class HostingService : Service() {
  private var processor: PowerManager.WakeLock? = null
  private var wifi: WifiManager.WifiLock? = null
  private var multicast: WifiManager.MulticastLock? = null

  override fun onBind(intent: Intent?): IBinder? = null

  override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
      startForeground(ID, notification(), ServiceInfo.FOREGROUND_SERVICE_TYPE_CONNECTED_DEVICE)
    } else {
      startForeground(ID, notification())
    }
    hold()
    // Without its process there is no relay: Android shouldn't start the service alone.
    return START_NOT_STICKY
  }

  override fun onDestroy() {
    processor?.let { if (it.isHeld) it.release() }
    wifi?.let { if (it.isHeld) it.release() }
    multicast?.let { if (it.isHeld) it.release() }
    super.onDestroy()
  }

  private fun hold() {
    if (processor != null) return
    val power = getSystemService(Context.POWER_SERVICE) as PowerManager
    // As long as hosting goes on: the service ends with it, and the lock with the service.
    @Suppress("WakelockTimeout")
    processor = power.newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "visita:hosting").apply { acquire() }
    val manager = applicationContext.getSystemService(Context.WIFI_SERVICE) as? WifiManager ?: return
    // Not the newer low-latency mode: it ends when the screen does, and a host's screen may be dark.
    @Suppress("DEPRECATION")
    wifi = manager.createWifiLock(WifiManager.WIFI_MODE_FULL_HIGH_PERF, "visita:hosting").apply { acquire() }
    multicast = manager.createMulticastLock("visita:hosting").apply { acquire() }
  }

  private fun notification(): Notification {
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.O) {
      val channel = NotificationChannel(CHANNEL, getString(R.string.hosting_channel), NotificationManager.IMPORTANCE_LOW)
      getSystemService(NotificationManager::class.java).createNotificationChannel(channel)
    }
    val open = PendingIntent.getActivity(this, 0, Intent(this, MainActivity::class.java), PendingIntent.FLAG_IMMUTABLE)
    return NotificationCompat.Builder(this, CHANNEL)
      .setSmallIcon(R.drawable.ic_hosting)
      .setContentTitle(getString(R.string.hosting_title))
      .setContentText(getString(R.string.hosting_text))
      .setContentIntent(open)
      .setOngoing(true)
      .setSilent(true)
      .setForegroundServiceBehavior(NotificationCompat.FOREGROUND_SERVICE_IMMEDIATE)
      .build()
  }

  companion object {
    private const val ID = 1
    private const val CHANNEL = "hosting"

    /** Begins, or goes on. */
    fun start(context: Context) {
      ContextCompat.startForegroundService(context, Intent(context, HostingService::class.java))
    }

    /** Ends, if it goes on. */
    fun stop(context: Context) {
      context.stopService(Intent(context, HostingService::class.java))
    }
  }
}
