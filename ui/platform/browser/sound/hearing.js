// What this participant hears: each member's frames, decoded, and given to the player.

import { isRedundant, numbered, read } from '../../../protocol/red.js';
import { Seen } from '../../../protocol/seen.js';
import { decibels, SILENCE } from '../../../protocol/sound.js';
import { Allowance } from './allowance.js';
import { decoder, HOPELESS, without } from './opus.js';

/** @typedef {import('../../../generated').Member} Member */
/** @typedef {import('../../../protocol/frame.js').Header} Header */
/** @typedef {import('./engine.js').Engine} Engine */
/** @typedef {import('./player-worklet.js').Report} Report */
/** @typedef {import('./player-worklet.js').Told} Told */

/**
 * Frames a second of one sender that are decoded, and at once after a pause: twice those of 20 ms,
 * as the relay allows (`protocol/src/sound.rs`).
 */
const FRAMES = 100;
/** Frames in the decoder whose times are kept. */
const MAX_DECODING = 64;
/** A packet no longer than this holds no sound: silence begins (RFC 6716: discontinuous transmission). */
const SILENCE_BYTES = 2;
/** Milliseconds after which a report says nothing of what is heard now. */
const STALE = 1000;
/** Samples whose loudness is measured of sound that comes by RTP: 43 ms. */
const METER = 2048;
/** Seconds in which most of a change of volume is done, without a click. */
const GLIDE = 0.02;
/** Milliseconds between two decoders for a sender whose frames make them fail. */
const REST = 1000;

/**
 * A member's sound that comes by RTP.
 * @typedef {object} Live
 * @property {MediaStreamTrack} track
 * @property {MediaStreamAudioSourceNode} source
 * @property {GainNode} gain
 * @property {AnalyserNode} meter
 */

/**
 * @typedef {object} Sender
 * @property {number} track  the microphone's
 * @property {import('./opus.js').Decoder | null} decoder
 * @property {boolean} making
 * @property {number} failures
 * @property {Seen} seen  which packets came
 * @property {Map<number, { time: number, copy: boolean }>} times  of packets in the decoder, by number
 * @property {Allowance} allowance
 * @property {number} level  dBov
 * @property {number} rests  until when no other decoder is made, milliseconds
 * @property {number | null} heard  the sender's time, in microseconds, at the report
 */

export class Hearing {
  /**
   * @param {Engine | null} engine  `null` where there can be no sound
   * @param {() => void} reported  levels are new
   */
  constructor(engine, reported) {
    this._engine = engine;
    this._reported = reported;
    this._closed = false;
    /** @type {Map<number, Sender>} */
    this._senders = new Map();
    /** @type {Map<number, Live>} */
    this._lives = new Map();
    /** Sound by RTP that came before anything could be heard. @type {Map<number, MediaStreamTrack>} */
    this._waiting = new Map();
    /** @type {Map<number, number>} */
    this._volumes = new Map();
    /** @type {AudioContext | null} */
    this._context = null;
    /** @type {AudioWorkletNode | null} */
    this._player = null;
    this._samples = new Float32Array(METER);
    /** The context's time of the last report, in seconds, and when it came. */
    this._at = 0;
    this._came = -Infinity;
    /** Whether anything was ever decoded: then it is the sender whose frames are none. */
    this._works = false;
    /** Frames that weren't sound, or too many. */
    this.garbage = 0;
    /** What the player says of each sender, the newest. @type {import('./player-worklet.js').Heard[]} */
    this.voices = [];
    // Without any audio device the call goes on without sound.
    if (engine) this._start(engine).catch(() => {});
  }

  /** How loud each member is, in dBov. @returns {Record<number, number>} */
  get levels() {
    return Object.fromEntries([...this._senders].map(([id, { level }]) => [id, Math.round(level)]));
  }

  /** A member came or changed. @param {Member} member */
  member(member) {
    const track = member.tracks.find(({ source, codec }) => source === 'microphone' && codec === 'opus');
    const known = this._senders.get(member.id);
    if (known && known.track === track?.id) return;
    this._forget(member.id);
    if (!track) return;
    /** @type {Sender} */
    const sender = {
      track: track.id, decoder: null, making: false, failures: 0, seen: new Seen(), times: new Map(),
      allowance: new Allowance(FRAMES), level: -SILENCE, heard: null, rests: -Infinity,
    };
    this._senders.set(member.id, sender);
    this._make(member.id, sender);
    const volume = this._volumes.get(member.id);
    if (volume !== undefined) this._tell({ type: 'volume', id: member.id, volume });
  }

  /** A member is gone. @param {number} id */
  gone(id) {
    this._forget(id);
    this._volumes.delete(id);
  }

  /** These are there, and nobody else. @param {readonly Member[]} members */
  told(members) {
    for (const id of [...this._senders.keys()]) if (!members.some((member) => member.id === id)) this.gone(id);
    for (const member of members) this.member(member);
  }

  /**
   * How loud a member is heard here.
   * @param {number} id
   * @param {number} volume  0 to 1
   */
  volume(id, volume) {
    const wanted = Math.min(1, Math.max(0, volume));
    this._volumes.set(id, wanted);
    const live = this._lives.get(id);
    if (live) live.gain.gain.setTargetAtTime(wanted, live.gain.context.currentTime, GLIDE);
    if (this._senders.has(id)) this._tell({ type: 'volume', id, volume: wanted });
  }

  /**
   * A member's sound comes by RTP from now on; `null`: as frames.
   * @param {number} id
   * @param {MediaStreamTrack | null} track
   */
  live(id, track) {
    const known = this._lives.get(id);
    if (known?.track === track) return;
    known?.source.disconnect();
    known?.gain.disconnect();
    this._lives.delete(id);
    this._waiting.delete(id);
    if (!track || this._closed) return;
    const context = this._context;
    if (!context || !this._engine) {
      this._waiting.set(id, track);
      return;
    }
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const gain = context.createGain();
    const meter = context.createAnalyser();
    meter.fftSize = METER;
    gain.gain.value = this._volumes.get(id) ?? 1;
    source.connect(meter);
    source.connect(gain);
    this._engine.connect(gain);
    this._lives.set(id, { track, source, gain, meter });
  }

  /**
   * Takes a frame, if it is one of sound. Never throws.
   * @param {Header} header
   * @param {Uint8Array} payload
   * @returns {boolean} whether it was
   */
  frame(header, payload) {
    const sender = this._senders.get(header.sender);
    if (!sender || sender.track !== header.track) return false;
    if (header.chunks !== 1 || header.references.length > 0 || !sender.allowance.take(performance.now())) {
      this.garbage += 1;
      return true;
    }
    // A context that rests would only pile them up.
    if (!this._player || this._context?.state !== 'running') return true;
    if (!sender.decoder) {
      this._make(header.sender, sender);
      return true;
    }
    const packet = this._older(header, payload, sender);
    // One that is known by a copy was decoded already.
    if (packet && !sender.seen.packet(header.sequence)) {
      this._decode(header.sender, sender, { sequence: header.sequence, time: header.timestamp, packet }, false);
    }
    return true;
  }

  /**
   * Decodes what a frame repeats of packets that didn't come. Answers its own packet, `null` if it
   * can't be read.
   * @param {Header} header
   * @param {Uint8Array} payload
   * @param {Sender} sender
   * @returns {Uint8Array | null}
   */
  _older({ sender: id, sequence, timestamp }, payload, sender) {
    if (!isRedundant(payload)) return payload;
    try {
      const packets = read(payload);
      for (const older of numbered(packets, sequence, timestamp)) {
        const missing = sender.seen.copy(older.sequence);
        if (missing && sender.allowance.take(performance.now())) this._decode(id, sender, older, true);
      }
      return packets.primary;
    } catch {
      this.garbage += 1;
      return null;
    }
  }

  /**
   * @param {number} id
   * @param {Sender} sender
   * @param {import('../../../protocol/red.js').Numbered} numbered
   * @param {boolean} copy
   */
  _decode(id, sender, { sequence, time, packet }, copy) {
    if (packet.length <= SILENCE_BYTES) {
      this._tell({ type: 'frame', id, sequence, time, samples: null, copy });
      return;
    }
    sender.times.set(sequence, { time, copy });
    if (sender.times.size > MAX_DECODING) sender.times.delete(/** @type {number} */ (sender.times.keys().next().value));
    try {
      sender.decoder?.decode(packet, sequence);
    } catch {
      this._failed(sender);
    }
  }

  /**
   * In how many milliseconds the sound of a sender's moment will be heard; negative if it was; `null`
   * while nothing of the sender is heard.
   * @param {number} id
   * @param {number} time  microseconds on the sender's clock
   * @returns {number | null}
   */
  until(id, time) {
    const heard = this._senders.get(id)?.heard;
    const context = this._context;
    if (heard == null || !context || context.state !== 'running' || performance.now() - this._came > STALE) return null;
    return (time - heard) / 1000 - (sounding(context) - this._at) * 1000;
  }

  close() {
    if (this._closed) return;
    this._closed = true;
    for (const id of [...this._lives.keys()]) this.live(id, null);
    for (const id of [...this._senders.keys()]) this.gone(id);
    if (this._player) {
      this._player.port.onmessage = null;
      this._player.disconnect();
    }
    this._player = null;
    this._engine?.release();
  }

  /** @param {Engine} engine */
  async _start(engine) {
    const context = await engine.acquire();
    if (this._closed) return;
    this._context = context;
    const player = new AudioWorkletNode(context, 'visita-player', { numberOfInputs: 0, outputChannelCount: [2] });
    this._player = player;
    player.port.onmessage = ({ data }) => this._heard(/** @type {Report} */ (data));
    engine.connect(player);
    for (const [id, track] of [...this._waiting]) this.live(id, track);
    for (const [id, volume] of this._volumes) if (this._senders.has(id)) this._tell({ type: 'volume', id, volume });
  }

  /** @param {Report} report */
  _heard({ frame, voices }) {
    const context = /** @type {AudioContext} */ (this._context);
    this._at = frame / context.sampleRate;
    this._came = performance.now();
    this.voices = voices;
    for (const { id, heard, level } of voices) {
      const sender = this._senders.get(id);
      if (sender) Object.assign(sender, { heard, level });
    }
    for (const [id, { meter }] of this._lives) {
      const sender = this._senders.get(id);
      if (!sender) continue;
      meter.getFloatTimeDomainData(this._samples);
      sender.level = Math.max(-SILENCE, Math.round(decibels(this._samples.reduce((sum, sample) => sum + sample * sample, 0) / METER)));
    }
    this._reported();
  }

  /** @param {Told} told @param {Transferable[]} [given] */
  _tell(told, given = []) {
    this._player?.port.postMessage(told, given);
  }

  /** @param {number} id */
  _forget(id) {
    const sender = this._senders.get(id);
    if (!sender) return;
    this._senders.delete(id);
    sender.decoder?.close();
    this._tell({ type: 'forget', id });
  }

  /**
   * @param {number} id
   * @param {Sender} sender
   */
  _make(id, sender) {
    if (sender.making || performance.now() < sender.rests) return;
    sender.making = true;
    decoder((samples, sequence) => {
      const known = sender.times.get(sequence);
      sender.times.delete(sequence);
      if (!known || this._senders.get(id) !== sender) return;
      sender.failures = 0;
      this._works = true;
      this._tell({ type: 'frame', id, sequence, ...known, samples }, [samples.buffer]);
    }, () => this._failed(sender)).then((made) => {
      sender.making = false;
      if (this._senders.get(id) === sender) sender.decoder = made;
      else made.close();
    }, () => {
      sender.making = false;
      sender.rests = performance.now() + REST;
    });
  }

  /** A decoder that fails is begun anew with the next frame. @param {Sender} sender */
  _failed(sender) {
    sender.decoder?.close();
    sender.decoder = null;
    sender.times.clear();
    sender.failures += 1;
    sender.rests = performance.now() + REST;
    this.garbage += 1;
    if (!this._works && sender.failures === HOPELESS) without('decodes');
  }
}

/** The context's time that is heard now, in seconds. @param {AudioContext} context */
function sounding(context) {
  const { contextTime, performanceTime } = context.getOutputTimestamp?.() ?? {};
  // Before anything was heard browsers answer zeros.
  if (contextTime && performanceTime) return contextTime + (performance.now() - performanceTime) / 1000;
  return context.currentTime - (context.outputLatency || context.baseLatency || 0);
}
