// One call from a browser: session, camera, sound, what is sent, what is shown.

import { Carrier } from './carrier.js';
import { measure } from './measure.js';
import { Ladder, stepOf } from './rtc/ladder.js';
import { decodes as decodesLive, Lane, possible } from './rtc/lane.js';
import { Pace } from './pace.js';
import { Painter } from './painter.js';
import { Pictures } from './pictures.js';
import { Publisher } from './publisher.js';
import { roomCode } from '../room-code.js';
import { Said } from './said.js';
import { Sight } from './sight.js';
import { Sound } from './sound/sound.js';
import { ticker } from './ticker.js';

/** @typedef {import('../types').CallEvent} CallEvent */
/** @typedef {import('../types').CallHandle} CallHandle */
/** @typedef {import('../types').JoinOptions} JoinOptions */
/** @typedef {import('../../generated').Codec} Codec */
/** @typedef {import('../../generated').Size} Size */
/** @typedef {import('../../generated').RelayMessage} RelayMessage */
/** @typedef {import('../../generated').Track} Track */
/** @typedef {import('./codecs.js').Codecs} Codecs */

/** Shown of each member from the start, until the page says what it shows: a common tile. */
const AT_FIRST = { width: 640, height: 360 };
/** Own pictures a second: enough to see oneself; the others' come first. */
const OWN_RATE = 12;
/** Milliseconds for a layout to settle before the relay is told what is shown. */
const SETTLE = 50;
/** Milliseconds after joining in which the page says what it shows. */
const SETTLE_FIRST = 1000;
/**
 * How often the relay is told what is shown. It takes five changes a second and twenty at once
 * (relay/src/config.rs) of all kinds together; of who says more it reads nothing for a while, no
 * pictures either.
 */
const TOLD = { rate: 3, burst: 8, most: 300 };
/** Milliseconds for the relay to confirm that the member leaves. */
const FAREWELL = 1000;
/** What the page calls a carrier's ways. */
const CONTROLS = /** @type {const} */ ({ ws: 'websocket', https: 'https', channel: 'webrtc' });
/** Events kept for a late subscriber. */
const MAX_LOG = 5000;

/** @implements {CallHandle} */
export class Call {
  /**
   * Joins at once. Never throws: failures are events.
   * @param {{ ws: string, https: string, webrtc: string }} urls  of the relay
   * @param {import('./ways.js').Ways} ways
   * @param {Promise<Codecs>} codecs
   * @param {JoinOptions} options
   * @param {import('./devices.js').Devices} devices
   */
  constructor(urls, ways, codecs, options, devices) {
    /** @type {Set<(event: CallEvent) => void>} */
    this._subscribers = new Set();
    /** @type {CallEvent[]} */
    this._log = [];
    this._ended = false;
    this._joined = false;
    /** @type {number | null} */
    this._join = null;
    /** @type {Carrier | null} */
    this._carrier = null;
    /** Where offers of another way for media go. */
    this._offers = urls.webrtc;
    this._ladder = new Ladder(possible());
    /** @type {Lane | null} */
    this._lane = null;
    /** The same, while media goes over it. @type {Lane | null} */
    this._live = null;
    /** Pictures' codecs that are decoded of frames. @type {Codec[]} */
    this._decodes = [];
    /** @type {Pictures | null} */
    this._pictures = null;
    /** @type {Publisher | null} */
    this._publisher = null;
    /** The camera's. @type {Track[]} */
    this._tracks = [];
    /** Whether pictures and sound can go over the connection. */
    this._frames = true;
    /** Whether there is a codec for moving pictures, for either way, besides those of UDP. */
    this._moving = false;
    /** Over what the call travels, as it was told last. */
    this._way = '';
    /** The tracks that are wanted. @type {number[]} */
    this._wanted = [];
    /** What was announced last, as text. */
    this._announced = '[]';
    /** What the others were told that the line carries. @type {import('../../generated').Carries} */
    this._carries = 'pictures';
    /** @type {number | null} */
    this._you = null;
    /** @type {MediaStreamTrack | null} */
    this._cameraTrack = null;
    /** Every place that shows a member, and how large. @type {Set<{ member: number, canvas: HTMLCanvasElement, size: Size }>} */
    this._places = new Set();
    /** The last watch that was sent, as text. */
    this._watched = '';
    this._said = new Said(TOLD);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._watching = undefined;
    this._sight = new Sight(!document.hidden);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._unseen = undefined;
    /** @type {() => void} */
    this._farewell = () => {};

    this._painter = new Painter();
    this._own = this._painter.screen((width, height) => this._ownPainted(width, height));
    this._ownSize = '';
    this._ownPace = new Pace(OWN_RATE);
    this._devices = devices;
    this._camera = devices.camera({
      state: (state) => this._emit({ type: 'camera', state }),
      track: (track) => {
        this._cameraTrack = track;
        this._publisher?.camera(track);
      },
    });
    this._sound = new Sound(devices, options.microphone, {
      event: (event) => this._emit(event),
      announce: () => this._announce(),
      frame: (header, payload) => this._carrier?.sound(header, payload) ?? 'taken',
      dropped: () => this._carrier?.outbox.droppedSound ?? 0,
      hush: () => this._carrier?.outbox.hush(),
    });
    this._stopTicker = ticker(() => this._beat());
    this._onVisible = () => {
      clearTimeout(this._unseen);
      this._unseen = setTimeout(() => this._watchSoon(0), this._sight.turned(!document.hidden, performance.now()));
      if (!document.hidden) this._carrier?.hurry();
    };
    this._onFreeze = () => {
      this._sight.frozen();
      this._watch();
    };
    this._onOnline = () => {
      this._ladder.changed();
      this._carrier?.hurry();
    };
    this._onPageHide = () => this._leaveNow();
    document.addEventListener('visibilitychange', this._onVisible);
    document.addEventListener('freeze', this._onFreeze);
    addEventListener('online', this._onOnline);
    addEventListener('pagehide', this._onPageHide);

    this._emit({ type: 'connection', state: 'connecting' });
    if (options.camera) this._camera.on();
    codecs.then((known) => this._start(urls, ways, known, options));
  }

  /**
   * @param {(event: CallEvent) => void} on
   * @returns {() => void}
   */
  subscribe(on) {
    for (const event of this._log.slice()) on(event);
    this._subscribers.add(on);
    return () => {
      this._subscribers.delete(on);
    };
  }

  /** @param {string} text */
  chat(text) {
    if (this._carrier?.send({ type: 'chat', text }) == null) {
      this._emit({ type: 'relay', message: { type: 'error', code: 'rate_limited' } });
    }
  }

  code() {
    return roomCode((on) => this.subscribe(on), () => this._carrier?.send({ type: 'make_code' }) ?? null);
  }

  /** @param {boolean} on */
  async camera(on) {
    if (this._ended) return;
    if (on) await this._camera.on();
    else this._camera.off();
  }

  /** @param {boolean} on */
  async microphone(on) {
    if (!this._ended) await this._sound.microphone(on);
  }

  async hear() {
    if (!this._ended) await this._sound.touch();
  }

  /**
   * @param {number} member
   * @param {number} volume  0 to 1
   */
  volume(member, volume) {
    this._sound.hearing.volume(member, volume);
  }

  /**
   * @param {number | 'self'} member
   * @param {HTMLCanvasElement} canvas
   * @param {Size} size  in device pixels
   */
  show(member, canvas, size) {
    if (member === 'self') {
      this._own.add(canvas, size);
      return {
        resize: (/** @type {Size} */ to) => this._own.add(canvas, to),
        stop: () => this._own.remove(canvas),
      };
    }
    const place = { member, canvas, size };
    this._places.add(place);
    this._pictures?.screenOf(member)?.add(canvas, size);
    this._watchSoon(SETTLE);
    return {
      resize: (/** @type {Size} */ to) => {
        place.size = to;
        this._pictures?.screenOf(member)?.add(canvas, to);
        this._watchSoon(SETTLE);
      },
      stop: () => {
        this._places.delete(place);
        this._pictures?.screenOf(member)?.remove(canvas);
        this._watchSoon(SETTLE);
      },
    };
  }

  async leave() {
    if (this._ended) return;
    this._camera.off();
    this._sound.close();
    if (this._carrier?.connected && this._joined) {
      await new Promise((/** @type {(value: void) => void} */ resolve) => {
        const timer = setTimeout(resolve, FAREWELL);
        this._farewell = () => {
          clearTimeout(timer);
          resolve();
        };
        this._carrier?.send({ type: 'leave' });
      });
    }
    this._end();
  }

  /**
   * @param {{ ws: string, https: string }} urls
   * @param {import('./ways.js').Ways} ways
   * @param {Codecs} codecs
   * @param {JoinOptions} options
   */
  _start(urls, ways, codecs, options) {
    if (this._ended) return;
    /** @type {Codec[]} */
    const decodes = [...codecs.decodes, 'jpeg'];
    this._decodes = decodes;
    this._moving = codecs.encodes.length > 0 || codecs.decodes.length > 0;
    this._pictures = new Pictures(decodes, this._painter, {
      sound: (header, payload) => this._sound.hearing.frame(header, payload),
      until: (member, time) => this._sound.hearing.until(member, time),
      needKeyFrame: (member, track) => {
        if (this._joined && this._carrier?.connected) this._carrier.send({ type: 'need_key_frame', member, track });
      },
      picture: (member, state, width, height) => this._emit({ type: 'picture', member, state, width, height }),
      unable: (left) => {
        this._decodes = [...left];
        if (!this._live) this._tellDecodes();
      },
    });
    const carrier = new Carrier(urls, ways, {
      state: (state, code) => {
        if (state === 'ended') return this._end(code);
        if (state === 'connected') {
          this._publisher?.resumed();
          this._climb();
          this._tellWay();
        }
        return this._emit({ type: 'connection', state });
      },
      carries: (frames) => {
        this._frames = frames;
        this._tellDecodes();
        this._announce();
      },
      message: (message) => this._message(message),
      media: (message) => this._pictures?.media(message),
    });
    this._carrier = carrier;
    let dropped = 0;
    this._publisher = new Publisher(codecs, {
      announce: (tracks) => {
        this._tracks = tracks;
        if (tracks.length === 0) carrier.outbox.withdraw();
        this._announce();
      },
      line: (carries) => this._line(carries),
      behind: () => {
        const { full, outbox } = carrier;
        const behind = full || outbox.dropped > dropped;
        ({ dropped } = outbox);
        return behind;
      },
      frame: (header, payload) => carrier.frame(header, payload),
      waits: (track) => carrier.outbox.holds(track),
      wantsKey: (track) => carrier.outbox.wantsKey(track),
      own: (picture, width, height) => {
        if (!this._own.shown || !this._ownPace.due(performance.now())) return;
        this._own.put('clone' in picture ? picture.clone() : picture, width, height);
      },
    });
    if (this._cameraTrack) this._publisher.camera(this._cameraTrack);
    this._join = carrier.send({
      type: 'join',
      room: options.room,
      name: options.name,
      role: options.role,
      decodes: this._able(),
      watch: { others: document.hidden ? null : AT_FIRST, views: [] },
    });
  }

  /** @param {RelayMessage} message */
  _message(message) {
    switch (message.type) {
      case 'send':
        this._wanted = message.tracks.map(({ track }) => track);
        this._publisher?.send(message.tracks);
        this._sound.send(message.tracks);
        return;
      case 'slots':
        this._lane?.slots(message.slots);
        return;
      case 'key_frame':
        this._publisher?.keyFrame(message.track);
        return;
      case 'loss':
        this._sound.loss(message.track, message.percent);
        return;
      case 'error':
        if (!this._joined && message.reply_to === this._join) {
          this._end(message.code);
          return;
        }
        break;
      case 'joined':
        this._joined = true;
        this._you = message.you;
        this._pictures?.told(message.members.filter(({ id }) => id !== message.you));
        this._sound.told(message.members.filter(({ id }) => id !== message.you));
        this._announced = '[]';
        this._announce();
        this._watchSoon(SETTLE_FIRST);
        break;
      case 'member_joined':
      case 'member_changed':
        this._pictures?.member(message.member);
        if (message.member.id !== this._you) this._sound.hearing.member(message.member);
        break;
      case 'member_left':
        this._pictures?.gone(message.member);
        this._sound.hearing.gone(message.member);
        break;
      case 'left':
        this._farewell();
        break;
      default:
        break;
    }
    this._emit({ type: 'relay', message });
    if (message.type === 'joined' || message.type === 'member_joined') this._place();
  }

  /** Tries UDP, if it is time to. */
  _climb() {
    const identity = this._carrier?.identity;
    if (!identity?.webrtc || !this._carrier?.connected || this._ended || !this._ladder.tries(performance.now())) return;
    const lane = new Lane(this._offers, identity, {
      up: () => {
        this._ladder.up(performance.now());
        this._live = lane;
        this._pictures?.able(liveDecodes());
        this._tellDecodes();
        this._publisher?.way(lane);
        this._sound.way((track) => lane.microphone(track));
        this._announce();
        this._tellWay();
      },
      down: (why) => {
        this._lane = null;
        this._ladder.failed(performance.now(), why);
        this._land();
        this._tellWay();
      },
      control: (socket) => this._carrier?.move(socket),
      media: (message) => this._pictures?.media(message),
      picture: (member, video) => this._pictures?.moving(member, video),
      sound: (member, track) => this._sound.hearing.live(member, track),
    });
    this._lane = lane;
  }

  /** Media goes over the connection again, if it takes any. */
  _land() {
    if (!this._live || this._ended) return;
    this._live = null;
    this._pictures?.able(this._decodes);
    this._tellDecodes();
    this._publisher?.way(null);
    this._sound.way(null);
    this._announce();
  }

  /** Says over what the call travels, here and to the relay, if that changed. */
  _tellWay() {
    const carrier = this._carrier;
    if (!carrier?.identity || this._ended) return;
    const control = CONTROLS[carrier.way];
    const { step, why } = stepOf({
      up: this._live !== null, frames: this._frames, moving: this._moving, offered: carrier.identity.webrtc ?? false, why: this._ladder.why,
    });
    const way = [control, step, why].join();
    if (way === this._way) return;
    this._way = way;
    carrier.send({ type: 'way', step, why });
    this._emit({ type: 'way', control, step, why });
  }

  /** @param {(line: import('../types').LineNow) => void} on */
  measure(on) {
    return measure(async () => {
      const { got = 0, sent = 0, roundTrip = null } = this._carrier ?? {};
      const lane = this._live;
      const live = await lane?.counts();
      const tracks = [...this._tracks, ...this._sound.tracks].filter(({ id }) => this._wanted.includes(id));
      return {
        way: live ? lane : this._carrier,
        at: performance.now(),
        got: got + (live?.got ?? 0),
        sent: sent + (live?.sent ?? 0),
        roundTrip: live?.roundTrip ?? roundTrip,
        gets: [...new Set([...(live?.gets ?? []), ...(this._pictures?.gets() ?? [])])],
        sends: [...new Set(tracks.map(({ codec }) => codec))],
      };
    }, on);
  }

  /** Whether there is a way for pictures and sound. */
  get _carried() {
    return this._frames || this._live !== null;
  }

  /**
   * What can be decoded here of what comes: nobody is to encode for one who gets nothing.
   * @returns {Codec[]}
   */
  _able() {
    if (!this._carried) return [];
    return [...(this._live ? liveDecodes() : this._decodes), .../** @type {Codec[]} */ (this._sound.possible ? ['opus'] : [])];
  }

  _tellDecodes() {
    this._carrier?.send({ type: 'decodes', decodes: this._able() });
  }

  /** Says what could be sent, if that changed. */
  _announce() {
    if (!this._joined || this._ended) return;
    const tracks = this._carried ? [...this._tracks, ...this._sound.tracks] : [];
    const announced = JSON.stringify(tracks);
    if (announced !== this._announced && this._carrier?.send({ type: 'tracks', tracks }) != null) this._announced = announced;
  }

  /**
   * Tells what the line carries of what is sent, if that changed.
   * @param {import('../../generated').Carries} carries
   */
  _line(carries) {
    if (carries === this._carries || this._ended) return;
    this._carries = carries;
    this._carrier?.send({ type: 'line', carries });
    // After what the camera still says: one that was switched off isn't sent again.
    queueMicrotask(() => !this._ended && this._emit({ type: 'uplink', carries }));
  }

  /** Canvases that were given before their member was known here. */
  _place() {
    for (const { member, canvas, size } of this._places) this._pictures?.screenOf(member)?.add(canvas, size);
  }

  /** @param {number} delay  milliseconds */
  _watchSoon(delay) {
    if (!this._joined || this._ended) return;
    clearTimeout(this._watching);
    this._watching = setTimeout(() => this._watch(), this._said.changed(performance.now(), delay));
  }

  /** Tells the relay what is shown, if that changed. What nobody can see isn't shown; a window of its own can be. */
  _watch() {
    if (!this._joined || this._ended) return;
    /** @type {Map<number, Size>} */
    const sizes = new Map();
    const asks = this._sight.asks(performance.now());
    for (const { member, canvas, size } of this._places) {
      if (!asks && canvas.ownerDocument.hidden) continue;
      const known = sizes.get(member) ?? { width: 0, height: 0 };
      sizes.set(member, {
        width: Math.max(known.width, pixels(size.width)),
        height: Math.max(known.height, pixels(size.height)),
      });
    }
    const views = [...sizes].map(([member, size]) => ({ member, size }));
    const watched = JSON.stringify(views);
    const sent = watched !== this._watched && this._carrier?.send({ type: 'watch', others: null, views }) != null;
    if (sent) this._watched = watched;
    this._said.told(performance.now(), sent);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  _ownPainted(width, height) {
    const size = `${width}x${height}`;
    if (size === this._ownSize) return;
    this._ownSize = size;
    this._emit({ type: 'picture', member: 'self', state: 'moving', width, height });
  }

  _beat() {
    this._carrier?.beat();
    this._pictures?.beat();
    this._publisher?.beat(performance.now());
    if (this._lane && this._ladder.late(performance.now())) {
      this._lane.close();
      this._lane = null;
      this._ladder.failed(performance.now(), 'silent');
      this._tellWay();
    }
    this._climb();
  }

  /** The page goes away, and there is no time for an answer. */
  _leaveNow() {
    if (this._joined) this._carrier?.send({ type: 'leave' });
    this._end();
  }

  /** @param {import('../../generated').Code | 'unreachable'} [code] */
  _end(code) {
    if (this._ended) return;
    this._ended = true;
    clearTimeout(this._watching);
    clearTimeout(this._unseen);
    document.removeEventListener('visibilitychange', this._onVisible);
    document.removeEventListener('freeze', this._onFreeze);
    removeEventListener('online', this._onOnline);
    removeEventListener('pagehide', this._onPageHide);
    this._stopTicker();
    this._devices.letGo(this._camera);
    this._sound.close();
    this._publisher?.close();
    this._lane?.close();
    this._carrier?.close();
    this._pictures?.close();
    this._own.close();
    this._farewell();
    this._emit(code ? { type: 'connection', state: 'ended', code } : { type: 'connection', state: 'ended' });
  }

  /** @param {CallEvent} event */
  _emit(event) {
    // Meters are of the moment only.
    if (event.type !== 'levels') this._log.push(event);
    if (this._log.length > MAX_LOG) this._log.splice(1, 1);
    for (const on of this._subscribers) on(event);
  }
}

/**
 * A size as the wire carries it.
 * @param {number} side
 */
const pixels = (side) => Math.min(0xffff, Math.max(1, Math.round(side)));

/** Codecs of pictures that come over a lane. @returns {Codec[]} */
const liveDecodes = () => [...new Set([...decodesLive(), .../** @type {Codec[]} */ (['jpeg'])])];
