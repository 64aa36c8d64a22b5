// Keeps the screen on during a call, where the browser can: nobody touches a tablet on a bed arm
// while they talk, and a screen that goes dark takes the camera with it.

/**
 * Until the returned function is called.
 * @returns {() => void}
 */
export function keepAwake() {
  /** @type {WakeLockSentinel | null} */
  let lock = null;
  let over = false;
  const take = async () => {
    if (over || document.hidden || !('wakeLock' in navigator)) return;
    try {
      const taken = await navigator.wakeLock.request('screen');
      if (over) taken.release();
      else lock = taken;
    } catch {
      // Refused, for instance to save the battery: the call goes on without.
    }
  };
  document.addEventListener('visibilitychange', take);
  take();
  return () => {
    over = true;
    document.removeEventListener('visibilitychange', take);
    lock?.release();
    lock = null;
  };
}
