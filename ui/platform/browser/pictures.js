// What this participant receives: each member's frames, put together, decoded and painted.

import { Assembler } from '../../protocol/chunk.js';
import { HeaderError, parse } from '../../protocol/frame.js';
import { Track } from '../../protocol/receiver.js';
import { FORMATS } from './codecs.js';
import { JpegDecoder } from './jpeg.js';
import { Held } from './sound/held.js';
import { Decoder } from './video.js';

/** @typedef {import('../../generated').Member} Member */
/** @typedef {import('../../generated').Codec} Codec */
/** @typedef {import('./codecs.js').Moving} Moving */
/** @typedef {import('./painter.js').Image} Image */
/** @typedef {import('./painter.js').Painter} Painter */
/** @typedef {import('./painter.js').Screen} Screen */
/** @typedef {import('../../protocol/frame.js').Header} Header */

/** Milliseconds without a picture after which one that moved has stopped. */
const STALLED = 2000;
/** Decoders that fail in a row, before any worked, until this browser counts as unable. */
const HOPELESS = 3;

/**
 * @typedef {object} Events
 * @property {(member: number, track: number) => void} needKeyFrame
 * @property {(member: number, state: 'moving' | 'stalled' | 'undecodable', width: number, height: number) => void} picture
 * @property {(decodes: Codec[]) => void} unable  a codec doesn't work here, whatever the browser said:
 *   these are left
 * @property {(member: number, time: number) => number | null} [until]  in how many milliseconds the
 *   member's sound of a time (microseconds on its clock) is heard; `null`: at no time
 * @property {(header: Header, payload: Uint8Array) => boolean} [sound]  takes a frame that is sound
 */

/**
 * One track of a member's.
 * @typedef {object} Stream
 * @property {Codec} codec
 * @property {Assembler} assembler
 * @property {Track} track
 * @property {Decoder | JpegDecoder | null} decoder
 */

/**
 * @typedef {object} Sender
 * @property {Map<number, Stream>} streams
 * @property {Screen} screen
 * @property {'new' | 'moving' | 'stalled' | 'undecodable'} state
 * @property {boolean} decodable  whether one of its camera's tracks can be decoded here
 * @property {Codec[]} codecs  what its camera's tracks are coded in
 * @property {boolean} camera  whether it could send a picture
 * @property {number} width
 * @property {number} height
 * @property {number} arrived  when a frame last arrived, milliseconds
 * @property {number} painted  when a picture was last painted, milliseconds
 * @property {Held<{ image: Image, width: number, height: number }>} held  pictures that wait for their sound
 * @property {ReturnType<typeof setTimeout> | undefined} holding
 */

export class Pictures {
  /**
   * @param {Codec[]} decodes  what this browser decodes
   * @param {Painter} painter
   * @param {Events} events
   */
  constructor(decodes, painter, events) {
    this._decodes = decodes;
    this._painter = painter;
    this._events = events;
    /** @type {Map<number, Sender>} */
    this._senders = new Map();
    /** How often each codec failed; one that worked once is never given up. @type {Map<Moving, number>} */
    this._failures = new Map();
    /** Messages that weren't media, or of nobody. */
    this.garbage = 0;
  }

  /**
   * A member came or changed.
   * @param {Member} member
   */
  member(member) {
    let sender = this._senders.get(member.id);
    if (!sender) {
      sender = {
        streams: new Map(),
        screen: this._painter.screen((width, height) => this._painted(member.id, width, height)),
        state: 'new',
        decodable: true,
        codecs: [],
        camera: false,
        width: 0,
        height: 0,
        arrived: -Infinity,
        painted: -Infinity,
        held: new Held(),
        holding: undefined,
      };
      this._senders.set(member.id, sender);
    }
    const camera = member.tracks.filter(({ source }) => source === 'camera');
    sender.camera = camera.length > 0;
    sender.codecs = camera.map(({ codec }) => codec);
    sender.decodable = sender.codecs.some((codec) => this._decodes.includes(codec));
    for (const [id, stream] of sender.streams) {
      if (camera.some((track) => track.id === id && track.codec === stream.codec)) continue;
      stream.decoder?.close();
      sender.streams.delete(id);
    }
    for (const { id, codec } of camera) {
      if (!sender.streams.has(id)) {
        sender.streams.set(id, { codec, assembler: new Assembler(), track: new Track(), decoder: null });
      }
    }
    if (!sender.camera) sender.state = 'new';
  }

  /**
   * A member is gone.
   * @param {number} id
   */
  gone(id) {
    const sender = this._senders.get(id);
    if (!sender) return;
    this._senders.delete(id);
    for (const { decoder } of sender.streams.values()) decoder?.close();
    clearTimeout(sender.holding);
    sender.held.clear().forEach(letGo);
    sender.screen.close();
  }

  /**
   * These are there, and nobody else.
   * @param {readonly Member[]} members
   */
  told(members) {
    for (const id of [...this._senders.keys()]) {
      if (!members.some((member) => member.id === id)) this.gone(id);
    }
    for (const member of members) this.member(member);
  }

  /**
   * Where a member's pictures are painted, if there is such a member.
   * @param {number} id
   * @returns {Screen | undefined}
   */
  screenOf(id) {
    return this._senders.get(id)?.screen;
  }

  /** What the pictures that come as frames are coded in. @returns {Codec[]} */
  gets() {
    const now = performance.now();
    const coming = [...this._senders.values()].filter(({ arrived }) => now - arrived < STALLED);
    return coming.flatMap(({ streams }) => [...streams.values()].filter(({ decoder }) => decoder).map(({ codec }) => codec));
  }

  /**
   * Takes a media message. Never throws: what can't be read is counted and dropped.
   * @param {Uint8Array} message
   */
  media(message) {
    let header;
    let offset;
    try {
      ({ header, offset } = parse(message));
    } catch (error) {
      if (!(error instanceof HeaderError)) throw error;
      this.garbage += 1;
      return;
    }
    if (this._events.sound?.(header, message.subarray(offset))) return;
    const sender = this._senders.get(header.sender);
    const stream = sender?.streams.get(header.track);
    if (!sender || !stream) {
      this.garbage += 1;
      return;
    }
    const whole = stream.assembler.push(header, message.subarray(offset));
    if (!whole) return;
    const now = performance.now();
    sender.arrived = now;
    this._decode(sender, stream, whole.header, whole.payload, now);
  }

  /**
   * A member's picture came by RTP.
   * @param {number} id
   * @param {HTMLVideoElement} video
   */
  moving(id, video) {
    const sender = this._senders.get(id);
    if (!sender?.camera) return;
    sender.arrived = performance.now();
    sender.screen.put(video, video.videoWidth, video.videoHeight);
  }

  /** What can be decoded from now on. @param {Codec[]} decodes */
  able(decodes) {
    this._decodes = decodes;
    for (const sender of this._senders.values()) sender.decodable = sender.codecs.some((codec) => decodes.includes(codec));
  }

  /** To be called every now and then: whose picture stands still. */
  beat() {
    const now = performance.now();
    for (const [id, sender] of this._senders) {
      if (!sender.screen.seen) sender.painted = now;
      if (!sender.camera || !sender.screen.seen) continue;
      const arriving = now - sender.arrived < STALLED;
      if (arriving) for (const [track, stream] of sender.streams) this._ask(id, track, stream, now);
      if (!sender.decodable || (arriving && now - sender.painted > STALLED && sender.state !== 'new')) {
        this._enter(id, sender, 'undecodable');
      } else if (sender.state === 'moving' && now - sender.painted > STALLED) {
        this._enter(id, sender, 'stalled');
      } else if (sender.state === 'new' && arriving) {
        // From the first frame on it has as long as any other picture.
        sender.state = 'stalled';
        sender.painted = now;
      }
    }
  }

  close() {
    for (const id of [...this._senders.keys()]) this.gone(id);
  }

  /**
   * @param {Sender} sender
   * @param {Stream} stream
   * @param {Header} header
   * @param {Uint8Array} payload
   * @param {number} now
   */
  _decode(sender, stream, header, payload, now) {
    const { track } = stream;
    if (!track.accept(header)) return this._ask(header.sender, header.track, stream, now);
    stream.decoder ??= this._decoderFor(sender, stream, header.sender, header.track);
    if (stream.decoder instanceof JpegDecoder) {
      stream.decoder.decode(payload, header.timestamp);
    } else if (stream.decoder && !stream.decoder.decode(payload, header.references.length === 0, header.timestamp)) {
      track.lost();
      this._ask(header.sender, header.track, stream, now);
    }
    return undefined;
  }

  /**
   * @param {Sender} sender
   * @param {Stream} stream
   * @param {number} member
   * @param {number} track
   * @returns {Decoder | JpegDecoder | null}
   */
  _decoderFor(sender, stream, member, track) {
    const { codec } = stream;
    if (codec === 'jpeg') {
      return new JpegDecoder({
        picture: (image, width, height, timestamp) => this._decoded(member, sender, { image, width, height }, timestamp),
        failed: () => {
          stream.track.dropped += 1;
        },
      });
    }
    if ((codec !== 'h264' && codec !== 'vp8') || !this._decodes.includes(codec)) return null;
    return new Decoder(FORMATS[codec], {
      picture: (frame, width, height) => {
        this._failures.set(codec, -Infinity);
        this._decoded(member, sender, { image: frame, width, height }, frame.timestamp);
      },
      failed: () => {
        stream.track.lost();
        this._ask(member, track, stream, performance.now());
        const failures = (this._failures.get(codec) ?? 0) + 1;
        this._failures.set(codec, failures);
        if (failures !== HOPELESS) return;
        this._decodes = this._decodes.filter((one) => one !== codec);
        this._events.unable(this._decodes);
      },
    });
  }

  /**
   * @param {number} member
   * @param {number} track
   * @param {Stream} stream
   * @param {number} now
   */
  _ask(member, track, stream, now) {
    if (stream.codec !== 'jpeg' && stream.track.ask(now)) this._events.needKeyFrame(member, track);
  }

  /**
   * A picture is shown when its sound is heard; one of a sender without sound at once.
   * @param {number} id
   * @param {Sender} sender
   * @param {{ image: Image, width: number, height: number }} picture
   * @param {number} timestamp  microseconds on the sender's clock
   */
  _decoded(id, sender, picture, timestamp) {
    if (this._senders.get(id) !== sender) return letGo(picture);
    sender.held.put(picture, this._events.until?.(id, timestamp) ?? null, performance.now());
    return this._show(sender);
  }

  /** @param {Sender} sender */
  _show(sender) {
    clearTimeout(sender.holding);
    const now = performance.now();
    for (const { image, width, height } of sender.held.due(now)) sender.screen.put(image, width, height);
    const next = sender.held.next(now);
    if (next !== null) sender.holding = setTimeout(() => this._show(sender), next);
  }

  /**
   * @param {number} id
   * @param {number} width
   * @param {number} height
   */
  _painted(id, width, height) {
    const sender = this._senders.get(id);
    if (!sender) return;
    sender.painted = performance.now();
    const resized = sender.width !== width || sender.height !== height;
    sender.width = width;
    sender.height = height;
    if (resized && sender.state === 'moving') sender.state = 'stalled';
    this._enter(id, sender, 'moving');
  }

  /**
   * @param {number} id
   * @param {Sender} sender
   * @param {'moving' | 'stalled' | 'undecodable'} state
   */
  _enter(id, sender, state) {
    if (sender.state === state) return;
    sender.state = state;
    this._events.picture(id, state, sender.width, sender.height);
  }
}

/** @param {{ image: Image }} picture */
function letGo({ image }) {
  if ('close' in image) image.close();
}
