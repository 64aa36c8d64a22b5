// A camera track's frames, one by one, by the best way the browser has.

/**
 * @typedef {VideoFrame | HTMLVideoElement} Picture  something that can be drawn and encoded now
 * @typedef {(picture: Picture, width: number, height: number) => void} OnFrame
 *   called for each frame; the picture is only good until it returns
 */

/**
 * Milliseconds between frames that are taken while the page is hidden and the browser gives no
 * frames by itself (no processor, no painting).
 */
const HIDDEN_INTERVAL = 200;

/**
 * Whether a frame says that it is to be turned before it is shown, as newer browsers' cameras do on
 * tablets. An encoder and whoever reads the pixels leave that to who shows it, and our frames can't
 * say it; a canvas turns it.
 * @param {Picture} picture
 */
export function turned(picture) {
  return 'rotation' in picture && picture.rotation !== 0;
}

/**
 * Calls `onFrame` for each of the track's frames until `stop`. `nudge` is to be called every now
 * and then; it keeps frames coming in a page in the background.
 * @param {MediaStreamTrack} track
 * @param {OnFrame} onFrame
 * @returns {{ stop(): void, nudge(): void }}
 */
export function framesOf(track, onFrame) {
  return typeof MediaStreamTrackProcessor === 'function'
    ? fromProcessor(track, onFrame)
    : fromVideo(track, onFrame);
}

/**
 * @param {MediaStreamTrack} track
 * @param {OnFrame} onFrame
 */
function fromProcessor(track, onFrame) {
  // One frame of buffer: the newest wins.
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable.getReader();
  let stopped = false;
  const read = async () => {
    while (!stopped) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      try {
        if (!stopped) onFrame(frame, frame.displayWidth, frame.displayHeight);
      } finally {
        frame.close();
      }
    }
  };
  read().catch(() => {
    // The track ended under the reader; the camera says so itself.
  });
  return {
    stop() {
      stopped = true;
      reader.cancel().catch(() => {});
    },
    nudge() {},
  };
}

/**
 * @param {MediaStreamTrack} track
 * @param {OnFrame} onFrame
 */
function fromVideo(track, onFrame) {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.setAttribute('aria-hidden', 'true');
  // Safari decodes only what is in the document, and nothing that isn't displayed.
  Object.assign(video.style, {
    position: 'fixed', width: '1px', height: '1px', left: '0', bottom: '0', opacity: '0', pointerEvents: 'none',
  });
  document.body.append(video);
  video.srcObject = new MediaStream([track]);

  let stopped = false;
  let seen = -1;
  let last = 0;
  const frame = () => {
    if (stopped) return;
    if (video.readyState >= 2 && video.videoWidth > 0) {
      last = performance.now();
      onFrame(video, video.videoWidth, video.videoHeight);
    }
  };
  /** @type {() => void} */
  let next;
  if ('requestVideoFrameCallback' in video) {
    next = () => {
      video.requestVideoFrameCallback(() => {
        frame();
        if (!stopped) next();
      });
    };
  } else {
    // Firefox before 132: the media clock moves with each frame of a camera.
    next = () => {
      requestAnimationFrame(() => {
        const now = /** @type {HTMLVideoElement} */ (video).currentTime;
        if (now !== seen) {
          seen = now;
          frame();
        }
        if (!stopped) next();
      });
    };
  }
  next();
  const play = () => {
    video.play().catch(() => {
      // Refused until a touch; `nudge` tries again.
    });
  };
  play();
  return {
    stop() {
      stopped = true;
      video.pause();
      video.srcObject = null;
      video.remove();
    },
    nudge() {
      if (video.paused) play();
      if (document.hidden && performance.now() - last >= HIDDEN_INTERVAL) frame();
    },
  };
}
