// What browsers have and TypeScript's library doesn't describe: Chromium's way to a camera's
// frames, which is absent elsewhere.
declare class MediaStreamTrackProcessor {
  constructor(options: { track: MediaStreamTrack; maxBufferSize?: number });
  readonly readable: ReadableStream<VideoFrame>;
}
/** What a sender sends in, of what was agreed: chosen without another offer, where the browser can. */
interface RTCRtpEncodingParameters { codec?: RTCRtpCodec }
