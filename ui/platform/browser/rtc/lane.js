// Media over UDP, by the browser's WebRTC: one offer, one answer, slots for the others, and channels for
// frames that RTP doesn't carry and for the session's control.

import { split } from '../../../protocol/chunk.js';
import { ChannelSocket } from './channel.js';
import { encodings, layersOf, RIDS } from './layers.js';

/** @typedef {import('../../../generated').Codec} Codec */
/** @typedef {import('../../../generated').Size} Size */
/** @typedef {import('../../../generated').Slot} Slot */
/** @typedef {import('./ladder.js').Why} Why */
/** @typedef {import('../codecs.js').Moving} Moving */

/** People whose sound and picture come by RTP; those of others come as frames. */
const SLOTS = 12;
/** The tracks that go by RTP: beside those that go as frames, whose numbers are others. */
export const PICTURE_TRACK = { h264: 4, vp8: 5 };
export const SOUND_TRACK = 6;
/** What browsers call them. @type {Record<string, Codec>} */
const CODECS = { 'video/h264': 'h264', 'video/vp8': 'vp8', 'audio/opus': 'opus' };
/** The labels of the data channels, as in `protocol/src/webrtc.rs`. */
const FRAMES = 'frames';
const CONTROL = 'control';
/** Milliseconds in which what gets lost of a frame is sent again: what comes later nobody wants. */
const LIFETIME = 400;
/** Bytes of a chunk of a frame, as over a WebSocket. */
const CHUNK = 16 * 1024;
/** Bytes in the channel from which on no more frames are put into it. */
const FULL = 64 * 1024;
/** Milliseconds of a broken line that a browser may mend by itself. */
const MENDS = 2500;

/**
 * @typedef {object} Events
 * @property {() => void} up
 * @property {(why: Why) => void} down  nothing follows
 * @property {(socket: ChannelSocket) => void} control  the session can go on over this
 * @property {(message: Uint8Array) => void} media  a frame that RTP doesn't carry
 * @property {(member: number, video: HTMLVideoElement) => void} picture  there is a new one
 * @property {(member: number, track: MediaStreamTrack | null) => void} sound  a member's from now on
 */

/** Whether this browser has all that it takes. */
export function possible() {
  return typeof RTCPeerConnection === 'function' && 'RTCRtpSender' in window
    && 'requestVideoFrameCallback' in HTMLVideoElement.prototype;
}

/** What this browser decodes of pictures that come by RTP. @returns {Codec[]} */
export function decodes() {
  const { codecs = [] } = RTCRtpReceiver.getCapabilities('video') ?? {};
  const has = (/** @type {string} */ mime) => codecs.some(({ mimeType }) => mimeType.toLowerCase() === mime);
  /** @type {Codec[]} */
  const known = [];
  if (has('video/h264')) known.push('h264');
  if (has('video/vp8')) known.push('vp8');
  return known;
}

/**
 * An answer whose picture of this name is sent in H.264 if it can be: a sender takes the first format.
 * @param {string} sdp
 * @param {string | null} mid
 */
export function h264First(sdp, mid) {
  return sdp.split(/^(?=m=)/mu).map((section) => {
    if (!section.startsWith('m=video') || !section.includes(`\r\na=mid:${mid}\r\n`)) return section;
    const formats = [...section.matchAll(/^a=rtpmap:(\d+) H264\//gmu)].map(([, format]) => format);
    return section.replace(/^(m=video \S+ \S+) (.*)$/mu, (_, head, all) => {
      const known = all.trim().split(' ');
      const first = known.filter((/** @type {string} */ format) => formats.includes(format));
      return [head, ...first, ...known.filter((/** @type {string} */ format) => !formats.includes(format))].join(' ') + (all.endsWith('\r') ? '\r' : '');
    });
  }).join('');
}

/** What one of a sender's formats is to us. @param {{ mimeType: string } | undefined} format @returns {Moving | null} */
function movingOf(format) {
  const codec = CODECS[format?.mimeType.toLowerCase() ?? ''];
  return codec === 'h264' || codec === 'vp8' ? codec : null;
}

/**
 * An encoding as any. A browser that lets a sender's codec be chosen looks what is chosen here, and so
 * shows that it does.
 * @param {() => void} chooses
 * @returns {RTCRtpEncodingParameters}
 */
function chosen(chooses) {
  return Object.defineProperty({}, 'codec', { get: () => void chooses(), enumerable: true });
}

export class Lane {
  /**
   * Begins at once.
   * @param {string} url  where the offer goes
   * @param {{ session: string, secret: string }} identity
   * @param {Events} events
   */
  constructor(url, identity, events) {
    this._events = events;
    this._closed = false;
    this._up = false;
    this._peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const peer = this._peer;
    /** Whether one picture can be sent now in one codec and now in another, without another offer. */
    this._chooses = false;
    this._sound = peer.addTransceiver('audio', { direction: 'sendonly', sendEncodings: [chosen(() => (this._chooses = true))] });
    const sendEncodings = RIDS.map((rid) => ({ rid }));
    this._picture = peer.addTransceiver('video', { direction: 'sendonly', sendEncodings });
    this._prefer();
    this._slots = Array.from({ length: SLOTS }, () => ({
      sound: peer.addTransceiver('audio', { direction: 'recvonly' }),
      picture: peer.addTransceiver('video', { direction: 'recvonly' }),
      /** @type {number | null} */
      member: null,
      /** @type {HTMLVideoElement | null} */
      video: null,
    }));
    const channel = peer.createDataChannel(FRAMES, { ordered: false, maxPacketLifeTime: LIFETIME });
    channel.binaryType = 'arraybuffer';
    this._channel = channel;
    /** @type {ChannelSocket | null} */
    this._control = null;
    const control = peer.createDataChannel(CONTROL);
    control.onopen = () => {
      if (this._closed) return;
      this._control = new ChannelSocket(control, (body) => {
        fetch(url, { method: 'DELETE', body, keepalive: true, credentials: 'omit' }).catch(() => {});
      });
      this._offerControl();
    };
    channel.onmessage = ({ data }) => this._events.media(new Uint8Array(data));
    /** @type {MediaStreamTrack | null} */
    this._camera = null;
    /** @type {Size | null} */
    this._wanted = null;
    /** What the picture is sent in, if there is a choice. @type {Moving | null} */
    this._codec = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._broken = undefined;
    peer.onconnectionstatechange = () => this._changed();
    this._offer(url, identity).catch(() => this._fail('refused'));
  }

  /** The codecs that the picture can be sent in, one at a time, best first; none if none was agreed. @returns {Moving[]} */
  get codecs() {
    const agreed = this._picture.sender.getParameters().codecs ?? [];
    const first = movingOf(agreed[0]);
    if (!first) return [];
    return this._chooses ? [...new Set([first, ...agreed.map(movingOf).filter((codec) => codec !== null)])] : [first];
  }

  /**
   * What went through it so far, how long an answer takes, and what the pictures and sound that come are
   * coded in; null where the browser doesn't say.
   */
  async counts() {
    /** @type {Map<string, any>} */
    const all = new Map(await this._peer.getStats());
    const stats = [...all.values()];
    const chosen = stats.find(({ type }) => type === 'transport')?.selectedCandidatePairId;
    // Firefox has no transports.
    const pair = all.get(chosen) ?? stats.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
    const coming = stats.filter(({ type, bytesReceived }) => type === 'inbound-rtp' && bytesReceived > 0);
    const known = coming.map(({ codecId }) => CODECS[/** @type {string} */ (all.get(codecId)?.mimeType?.toLowerCase())]);
    if (!pair) return null;
    const { bytesReceived: got = 0, bytesSent: sent = 0, currentRoundTripTime: trip } = pair;
    return { got, sent, roundTrip: typeof trip === 'number' ? trip * 1000 : null, gets: [...new Set(known)].filter(Boolean) };
  }

  /**
   * Who is in which slot from now on.
   * @param {readonly Slot[]} slots
   */
  slots(slots) {
    for (const slot of this._slots) {
      const told = slots.find(({ picture }) => picture === slot.picture.mid);
      const member = told?.member ?? null;
      if (member === slot.member) continue;
      if (slot.member !== null) this._events.sound(slot.member, null);
      slot.member = member;
      if (member === null) continue;
      this._events.sound(member, slot.sound.receiver.track);
      slot.video ??= this._show(slot);
    }
  }

  /**
   * The layers in which a picture of this size is sent.
   * @param {Size} size
   */
  layers(size) {
    return layersOf(size, this._picture.sender.getParameters().encodings?.length ?? 1);
  }

  /** The camera's track from now on. @param {MediaStreamTrack | null} track */
  camera(track) {
    this._camera = track;
    this._direct();
  }

  /**
   * The largest size at which anybody shows the picture, `null` if nobody does, and what it is to be sent in.
   * @param {Size | null} size
   * @param {Moving | null} codec
   */
  wanted(size, codec) {
    this._wanted = size;
    this._codec = codec ?? this._codec;
    this._direct();
  }

  /**
   * Sends a frame that RTP doesn't carry.
   * @param {import('../../../protocol/frame.js').Header} header
   * @param {Uint8Array} payload
   * @returns {'taken' | 'congested'}
   */
  frame(header, payload) {
    const channel = this._channel;
    if (channel.readyState !== 'open' || this.busy) return 'congested';
    for (const message of split(header, payload, CHUNK)) channel.send(message);
    return 'taken';
  }

  /** Whether frames wait in the channel. */
  get busy() {
    return this._channel.bufferedAmount > FULL;
  }

  /** What is said from now on; `null`: nothing. @param {MediaStreamTrack | null} track */
  microphone(track) {
    this._sound.sender.replaceTrack(track).catch(() => {});
  }

  close() {
    if (this._closed) return;
    this._closed = true;
    clearTimeout(this._broken);
    for (const slot of this._slots) {
      if (slot.member !== null) this._events.sound(slot.member, null);
      slot.video?.remove();
      if (slot.video) slot.video.srcObject = null;
    }
    this._peer.onconnectionstatechange = null;
    this._peer.close();
  }

  /** H.264 first: what apps encode and decode best. */
  _prefer() {
    const { codecs = [] } = RTCRtpSender.getCapabilities('video') ?? {};
    const rank = (/** @type {{ mimeType: string, sdpFmtpLine?: string }} */ { mimeType, sdpFmtpLine = '' }) => {
      if (mimeType.toLowerCase() !== 'video/h264') return 1;
      return sdpFmtpLine.includes('packetization-mode=1') && sdpFmtpLine.includes('42e01f') ? -1 : 0;
    };
    try {
      this._picture.setCodecPreferences([...codecs].sort((a, b) => rank(a) - rank(b)));
    } catch {
      // An older browser sends what it likes best.
    }
  }

  /**
   * @param {string} url
   * @param {{ session: string, secret: string }} identity
   */
  async _offer(url, { session, secret }) {
    const peer = this._peer;
    await peer.setLocalDescription(await peer.createOffer());
    // Without waiting for candidates: the relay, which is ICE-lite, needs none of this device's.
    const tracks = [
      { codec: 'h264', track: PICTURE_TRACK.h264 }, { codec: 'vp8', track: PICTURE_TRACK.vp8 },
      { codec: 'opus', track: SOUND_TRACK },
    ];
    if (this._closed) return;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ session, secret, sdp: peer.localDescription?.sdp, tracks }),
    });
    if (this._closed) return;
    if (!response.ok) {
      this._fail('refused');
      return;
    }
    const { sdp } = await response.json();
    if (!this._closed) await peer.setRemoteDescription({ type: 'answer', sdp: h264First(sdp, this._picture.mid) });
  }

  _changed() {
    const state = this._peer.connectionState;
    clearTimeout(this._broken);
    if (state === 'connected') {
      if (this._up || this._closed) return;
      this._up = true;
      this._events.up();
      this._offerControl();
    } else if (state === 'failed' || state === 'closed') {
      this._fail(this._up ? 'lost' : 'silent');
    } else if (state === 'disconnected') {
      this._broken = setTimeout(() => this._fail('lost'), MENDS);
    }
  }

  /** Control follows the media, once both are there. Without a picture's codec frames need the connection. */
  _offerControl() {
    if (!this._up || !this._control || this.codecs.length === 0) return;
    this._events.control(this._control);
    this._control = null;
  }

  /** @param {Why} why */
  _fail(why) {
    if (this._closed) return;
    this.close();
    this._events.down(why);
  }

  /** Sends the camera as somebody shows it, or not at all. */
  _direct() {
    const { sender } = this._picture;
    const track = this._wanted ? this._camera : null;
    if (sender.track !== track) sender.replaceTrack(track).catch(() => {});
    if (!track || !this._wanted) return;
    const { width = 0, height = 0 } = track.getSettings();
    const parameters = sender.getParameters();
    const known = parameters.encodings ?? [];
    const wanted = encodings({ width, height }, this._wanted, known.length);
    known.forEach((encoding, layer) => Object.assign(encoding, wanted[layer]));
    // Of the formats of one codec the first is the one that apps encode and decode.
    const codec = this._chooses && this._codec ? parameters.codecs.find((one) => movingOf(one) === this._codec) : undefined;
    if (codec) for (const encoding of known) encoding.codec = codec;
    sender.setParameters(parameters).catch(() => {});
  }

  /**
   * An element that decodes a slot's picture, with its sound beside it so that the two stay together;
   * what is heard is mixed elsewhere.
   * @param {Lane['_slots'][number]} slot
   */
  _show(slot) {
    const video = document.createElement('video');
    video.className = 'lane-video';
    video.muted = true;
    video.playsInline = true;
    video.srcObject = new MediaStream([slot.sound.receiver.track, slot.picture.receiver.track]);
    document.body.append(video);
    const next = () => {
      if (this._closed) return;
      video.requestVideoFrameCallback(next);
      if (slot.member !== null && video.videoWidth > 0) this._events.picture(slot.member, video);
    };
    video.requestVideoFrameCallback(next);
    video.play().catch(() => {});
    return video;
  }
}
