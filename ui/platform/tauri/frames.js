// The pictures: a binary WebSocket to Rust on this machine (src-tauri/src/frames). Whom the page
// shows at which size goes one way, newest pictures the other, one on the way for each tile.

import { Sight } from '../browser/sight.js';

/** @typedef {import('../../generated').Size} Size */
/** @typedef {{ port: number, token: string }} Endpoint */
/** @typedef {{ canvas: HTMLCanvasElement, size: Size }} Tile */

/** The own camera, where members are numbered. */
export const SELF = 0;
/** Bytes before the pixels. */
const HEADER = 24;
/** Milliseconds before connecting again. It only fails while the app is closing. */
const RETRY = 500;

export class Frames {
  /**
   * @param {Promise<Endpoint>} endpoint
   * @param {(member: number, width: number, height: number) => void} painted
   */
  constructor(endpoint, painted) {
    this._endpoint = endpoint;
    this._painted = painted;
    /** @type {Map<number, Set<Tile>>} */
    this._tiles = new Map();
    /** @type {WebSocket | null} */
    this._socket = null;
    this._ready = false;
    /** @type {((on: boolean) => void) | null} */
    this._capture = null;
    this._sight = new Sight(!document.hidden);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._unseen = undefined;
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this._unseen);
      this._unseen = setTimeout(() => this._tellAll(), this._sight.turned(!document.hidden, performance.now()));
    });
    this._open();
  }

  /**
   * Paints a member's pictures into `canvas` until `stop` is called.
   * @param {number} member
   * @param {HTMLCanvasElement} canvas
   * @param {Size} size  in device pixels
   */
  show(member, canvas, size) {
    /** @type {Tile} */
    const tile = { canvas, size };
    const tiles = this._tiles.get(member) ?? new Set();
    this._tiles.set(member, tiles.add(tile));
    this._tell(member);
    return {
      /** @param {Size} size */
      resize: (size) => {
        if (size.width === tile.size.width && size.height === tile.size.height) return;
        tile.size = size;
        this._tell(member);
      },
      stop: () => {
        tiles.delete(tile);
        if (tiles.size === 0 && this._tiles.get(member) === tiles) this._tiles.delete(member);
        this._tell(member);
      },
    };
  }

  /**
   * The page has the camera: calls `on` when Rust wants its pictures, and when it wants no more.
   * @param {(on: boolean) => void} on
   */
  captures(on) {
    this._capture = on;
    return {
      state: (/** @type {import('../types').CameraState} */ state) => this._send({ type: 'camera', state }),
      picture: (/** @type {ArrayBuffer} */ message) => {
        if (this._ready) this._socket?.send(message);
      },
      /** Whether the last picture is on its way. */
      free: () => this._ready && this._socket?.bufferedAmount === 0,
    };
  }

  /**
   * Whether a member is on the screen.
   * @param {number} member
   */
  shows(member) {
    return this._tiles.has(member) && !document.hidden;
  }

  async _open() {
    const { port, token } = await this._endpoint;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    socket.binaryType = 'arraybuffer';
    this._socket = socket;
    socket.onopen = () => {
      socket.send(token);
      this._ready = true;
      this._tellAll();
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this._paint(data);
      else this._told(data);
    };
    socket.onclose = () => {
      this._ready = false;
      this._capture?.(false);
      setTimeout(() => this._open(), RETRY);
    };
  }

  _tellAll() {
    for (const member of this._tiles.keys()) this._tell(member);
  }

  /**
   * Says how large a member is shown now: not at all where nobody can see it.
   * @param {number} member
   */
  _tell(member) {
    const tiles = this._tiles.get(member);
    if (!tiles || !this._sight.asks(performance.now())) return this._send({ type: 'hide', member });
    let width = 0;
    let height = 0;
    for (const { size } of tiles) {
      width = Math.max(width, size.width);
      height = Math.max(height, size.height);
    }
    this._send({ type: 'show', member, width: clamp(width), height: clamp(height) });
  }

  /** @param {object} wish */
  _send(wish) {
    if (this._ready) this._socket?.send(JSON.stringify(wish));
  }

  /** @param {string} text */
  _told(text) {
    const order = JSON.parse(text);
    if (order.type === 'capture') this._capture?.(order.on);
  }

  /** @param {ArrayBuffer} message */
  _paint(message) {
    const header = new DataView(message);
    if (message.byteLength < HEADER || header.getUint8(0) !== 1) return;
    const member = header.getUint32(4);
    const width = header.getUint16(8);
    const height = header.getUint16(10);
    const tiles = this._tiles.get(member);
    if (tiles) {
      const pixels = new ImageData(new Uint8ClampedArray(message, HEADER), width, height);
      for (const { canvas } of tiles) {
        // Setting a size clears the canvas, and costs even when nothing changes.
        if (canvas.width !== width) canvas.width = width;
        if (canvas.height !== height) canvas.height = height;
        canvas.getContext('2d')?.putImageData(pixels, 0, 0);
      }
      this._painted(member, width, height);
    }
    this._send({ type: 'painted', member });
  }
}

/** @param {number} side */
function clamp(side) {
  return Math.min(65535, Math.max(1, Math.round(side)));
}
