// What this participant sends: the camera in the codecs that somebody needs, no more.

import { Pause } from '../../protocol/line.js';
import { BITRATE, FORMATS } from './codecs.js';
import { framesOf } from './frames.js';
import { JpegEncoder, jpegSize } from './jpeg.js';
import { Rate } from './pace.js';
import { References } from './references.js';
import { PICTURE_TRACK } from './rtc/lane.js';
import { Encoder, videoSize } from './video.js';

/** @typedef {import('../../generated').Carries} Carries */
/** @typedef {import('../../generated').Size} Size */
/** @typedef {import('../../generated').Track} Track */
/** @typedef {import('../../protocol/frame.js').Header} Header */
/** @typedef {import('./codecs.js').Codecs} Codecs */
/** @typedef {import('./codecs.js').Moving} Moving */
/** @typedef {import('./frames.js').Picture} Picture */

/** A way for the picture that isn't made of frames. @typedef {import('./rtc/lane.js').Lane} Lane */

/** The camera in JPEG. */
const JPEG_TRACK = 1;
/** The camera in what moves. @type {Record<Moving, number>} */
const TRACKS = { h264: 0, vp8: 3 };

/**
 * @typedef {object} Ways
 * @property {(tracks: Track[]) => void} announce  what could be sent from now on
 * @property {(header: Header, payload: Uint8Array) => 'taken' | 'congested'} frame  sends a frame
 * @property {(track: number) => boolean} waits  whether a frame of the track waits to go out
 * @property {(track: number) => boolean} wantsKey  whether the track goes on only with a key frame
 * @property {() => boolean} behind  whether the line fell behind since this was asked last
 * @property {(carries: Carries) => void} line  what the line carries of the picture from now on
 * @property {(picture: Picture, width: number, height: number) => void} own  shows the own picture
 */

/**
 * One of the camera's moving tracks.
 * @typedef {object} Coder
 * @property {Moving} codec
 * @property {number} track
 * @property {boolean} layers  whether it is encoded in two temporal layers
 * @property {Encoder | null} encoder  while somebody needs it
 */

export class Publisher {
  /**
   * @param {Pick<Codecs, 'encodes'>} codecs  what this browser can
   * @param {Ways} ways
   */
  constructor({ encodes }, ways) {
    /** @type {Coder[]} */
    this._coders = encodes.map(({ codec, layers }) => ({ codec, track: TRACKS[codec], layers, encoder: null }));
    this._ways = ways;
    /** @type {ReturnType<typeof framesOf> | null} */
    this._frames = null;
    this._width = 0;
    this._height = 0;
    /** The tracks that somebody needs, each with the largest size at which it is shown. @type {Map<number, Size>} */
    this._wanted = new Map();
    /** Each track's numbers go on for the whole session. */
    /** By the number of the track. */
    this._references = Array.from({ length: 4 }, () => new References());
    /** @type {JpegEncoder | null} */
    this._jpeg = null;
    this._rate = new Rate(BITRATE);
    /** What takes JPEG, if not the connection. @type {Lane | null} */
    this._lane = null;
    /** What the picture can go in by RTP, one at a time. @type {{ lane: Lane, codecs: Moving[] } | null} */
    this._way = null;
    /** @type {MediaStreamTrack | null} */
    this._camera = null;
    /** Whether the picture isn't sent, because the line doesn't carry even the least of it. */
    this._pause = new Pause();
  }

  /**
   * The camera's track from now on, `null` for none.
   * @param {MediaStreamTrack | null} track
   */
  camera(track) {
    this._frames?.stop();
    this._frames = null;
    this._stopEncoding();
    this._camera = track;
    this._way?.lane.camera(track);
    if (track) {
      this._frames = framesOf(track, (picture, width, height) => this._frame(picture, width, height));
      return;
    }
    this._pause = new Pause();
    this._ways.line(this._pause.carries);
    if (this._width > 0) {
      this._width = 0;
      this._height = 0;
      this._ways.announce([]);
    }
  }

  /**
   * The picture goes by RTP from now on; `null`: as frames.
   * @param {Lane | null} lane
   */
  way(lane) {
    const codecs = lane?.codecs ?? [];
    this._lane = lane;
    this._way = lane && codecs.length > 0 ? { lane, codecs } : null;
    this._wanted = new Map();
    this._stopEncoding();
    this._way?.lane.camera(this._camera);
    if (this._width > 0) this._announce();
  }

  /**
   * The tracks that the relay wants from now on.
   * @param {readonly { track: number, size: Size }[]} tracks
   */
  send(tracks) {
    // A relay that doesn't know yet that they aren't sent isn't heeded.
    const wanted = new Map(this._pause.sends ? tracks.map(({ track, size }) => [track, size]) : []);
    for (const coder of this._coders) {
      if (wanted.has(coder.track)) continue;
      // Begun again, it begins with a key frame.
      coder.encoder?.close();
      coder.encoder = null;
    }
    this._wanted = wanted;
    if (!this._way) return;
    const { lane, codecs } = this._way;
    const [codec, more] = codecs.filter((one) => wanted.has(PICTURE_TRACK[one]));
    lane.wanted((codec && wanted.get(PICTURE_TRACK[codec])) ?? null, codec ?? null);
    if (!more) return;
    // Some decode only the one and some only the other: RTP is for the first, and the others get JPEG.
    this._way = { lane, codecs: [codec] };
    this._announce();
  }

  /**
   * Somebody can't go on without a key frame.
   * @param {number} track
   */
  keyFrame(track) {
    this._coders.find((coder) => coder.track === track)?.encoder?.requestKey();
  }

  /** The connection is back; frames were lost meanwhile. */
  resumed() {
    for (const { encoder } of this._coders) encoder?.requestKey();
  }

  /**
   * To be called every now and then.
   * @param {number} now  milliseconds
   */
  beat(now) {
    this._frames?.nudge();
    this._follow(now);
  }

  /**
   * Stops sending the picture where even the least of it doesn't pass, and tries it again.
   * @param {number} now  milliseconds
   */
  _follow(now) {
    const behind = this._ways.behind();
    // What goes by RTP is the browser's to keep within the line.
    const byRtp = (this._way?.codecs ?? []).map((codec) => PICTURE_TRACK[codec]);
    const asked = this._pause.sends && [...this._wanted.keys()].some((track) => !byRtp.includes(track));
    const least = !this._coders.some(({ track }) => this._wanted.has(track)) || this._rate.isLeast;
    if (!this._pause.turn(now, !(asked && least && behind))) return;
    if (!this._pause.sends) {
      this._wanted = new Map();
      this._stopEncoding();
    }
    this._ways.line(this._pause.carries);
    if (this._width > 0) this._announce();
  }

  close() {
    this._frames?.stop();
    this._frames = null;
    this._stopEncoding();
  }

  /**
   * @param {Picture} picture
   * @param {number} width
   * @param {number} height
   */
  _frame(picture, width, height) {
    const timestamp = Math.floor(performance.now() * 1000);
    if (width !== this._width || height !== this._height) {
      this._width = width;
      this._height = height;
      this._announce();
    }
    this._ways.own(picture, width, height);
    for (const coder of this._coders) {
      const size = this._wanted.get(coder.track);
      if (!size) continue;
      coder.encoder ??= this._encoderOf(coder);
      coder.encoder.setWanted(size);
      if (this._ways.wantsKey(coder.track)) coder.encoder.requestKey();
      coder.encoder.offer(picture, width, height, timestamp);
    }
    const jpeg = this._wanted.get(JPEG_TRACK);
    if (jpeg && !(this._lane?.busy ?? this._ways.waits(JPEG_TRACK))) {
      this._jpeg ??= new JpegEncoder((payload, at) => this._send(JPEG_TRACK, true, at, null, payload));
      this._jpeg.setWanted(jpeg);
      this._jpeg.offer(picture, width, height, timestamp);
    }
  }

  /** @param {Coder} coder */
  _encoderOf(coder) {
    const encoder = new Encoder(FORMATS[coder.codec], coder.layers, {
      frame: (payload, key, timestamp, temporal) => {
        const now = performance.now();
        const taken = this._send(coder.track, key, timestamp, temporal, payload);
        const changed = taken === 'congested' ? this._rate.congested(now) : this._rate.well(now);
        if (changed) for (const other of this._coders) other.encoder?.setBitrate(this._rate.bitrate);
      },
      failed: () => {
        encoder.close();
        this._coders = this._coders.filter((other) => other !== coder);
        if (this._width > 0) this._announce();
      },
    });
    encoder.setBitrate(this._rate.bitrate);
    return encoder;
  }

  /**
   * @param {number} track
   * @param {boolean} key
   * @param {number} timestamp
   * @param {number | null} layer
   * @param {Uint8Array} payload
   */
  _send(track, key, timestamp, layer, payload) {
    const { sequence, temporal, references } = this._references[track].take(key, layer);
    /** @type {Header} */
    const header = {
      sender: 0,
      track,
      layer: { spatial: 0, temporal },
      sequence,
      timestamp,
      chunk: 0,
      chunks: 1,
      references,
    };
    return track === JPEG_TRACK && this._lane ? this._lane.frame(header, payload) : this._ways.frame(header, payload);
  }

  _announce() {
    if (!this._pause.sends) {
      this._ways.announce([]);
      return;
    }
    /** @type {Track[]} */
    const tracks = [];
    const { _width: width, _height: height } = this;
    if (this._way) {
      const { codecs, lane } = this._way;
      for (const codec of codecs) {
        tracks.push({ id: PICTURE_TRACK[codec], source: 'camera', codec, layers: lane.layers({ width, height }) });
      }
    } else {
      for (const { codec, track } of this._coders) {
        tracks.push({ id: track, source: 'camera', codec, layers: [videoSize(width, height)] });
      }
    }
    tracks.push({ id: JPEG_TRACK, source: 'camera', codec: 'jpeg', layers: [jpegSize(width, height)] });
    this._ways.announce(tracks);
  }

  _stopEncoding() {
    for (const coder of this._coders) {
      coder.encoder?.close();
      coder.encoder = null;
    }
    this._jpeg?.close();
    this._jpeg = null;
  }
}
