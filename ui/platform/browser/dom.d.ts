// What browsers have and TypeScript's library doesn't describe: Chromium's way to a camera's
// frames, which is absent elsewhere.
declare class MediaStreamTrackProcessor {
  constructor(options: { track: MediaStreamTrack; maxBufferSize?: number });
  readonly readable: ReadableStream<VideoFrame>;
}
