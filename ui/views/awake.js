// A call keeps the screen on: a tablet on a bed arm that goes dark in the middle of a visit can't be
// woken by every patient.

/** @returns {() => void} lets the screen sleep again */
export function keepAwake() {
  /** @type {{ release(): Promise<void> } | null} */
  let lock = null;
  let over = false;
  const ask = () => {
    // Not in every browser, not without TLS, and refused when the battery is low: then it sleeps as before.
    if (over || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
    navigator.wakeLock.request('screen').then((given) => {
      lock = given;
      if (over) void given.release();
    }, () => {});
  };
  // The system takes the lock away while the page is hidden.
  document.addEventListener('visibilitychange', ask);
  ask();
  return () => {
    over = true;
    document.removeEventListener('visibilitychange', ask);
    void lock?.release();
  };
}
