// Painting: the newest picture of each member, into the canvases that show it, once per repaint
// of the screen. A canvas may be in a window of its own, which is seen while the page isn't.

/** @typedef {VideoFrame | ImageBitmap | HTMLImageElement | HTMLVideoElement} Image */
/** @typedef {import('../../generated').Size} Size */

/**
 * A picture is made smaller while it is painted if its place needs less than this part of its
 * sides. Small tiles of large pictures cost most of the time otherwise: without a graphics card
 * painting 640×360 takes 10 ms on a fast machine, a corner's size 4 ms.
 */
const WORTH_SHRINKING = 0.8;

/**
 * The size at which a picture is painted: its own, or what covers its place.
 * @param {number} width
 * @param {number} height
 * @param {Size} place  in device pixels
 * @returns {Size}
 */
export function paintedSize(width, height, place) {
  const scale = Math.max(place.width / width, place.height / height);
  if (!(scale < WORTH_SHRINKING)) return { width, height };
  return { width: Math.max(2, Math.round(width * scale)), height: Math.max(2, Math.round(height * scale)) };
}

/** One member's canvases, and the picture that waits to be painted into them. */
export class Screen {
  /**
   * @param {(screen: Screen) => void} dirty  there is something to paint
   * @param {(width: number, height: number) => void} painted  a picture was painted
   */
  constructor(dirty, painted) {
    this._dirty = dirty;
    this._painted = painted;
    /** @type {Map<HTMLCanvasElement, { context: CanvasRenderingContext2D, place: Size }>} */
    this._canvases = new Map();
    /** @type {Image | null} */
    this._image = null;
    this._width = 0;
    this._height = 0;
  }

  /** Whether anything shows this member. */
  get shown() {
    return this._canvases.size > 0;
  }

  /** Whether anybody can see it: pictures are painted in no hidden document. */
  get seen() {
    return [...this._canvases.keys()].some((canvas) => !canvas.ownerDocument.hidden);
  }

  /** The windows that show this member. */
  get windows() {
    return new Set([...this._canvases.keys()].map((canvas) => canvas.ownerDocument.defaultView ?? window));
  }

  /**
   * Paints into the canvas from now on; again when its place has another size.
   * @param {HTMLCanvasElement} canvas
   * @param {Size} place  in device pixels
   */
  add(canvas, place) {
    const context = canvas.getContext('2d', { alpha: false });
    if (!context) return;
    this._canvases.set(canvas, { context, place });
    if (this._image) this._dirty(this);
  }

  /** @param {HTMLCanvasElement} canvas */
  remove(canvas) {
    this._canvases.delete(canvas);
  }

  /**
   * The newest picture; this closes it. It waits for a canvas if there is none yet.
   * @param {Image} image
   * @param {number} width
   * @param {number} height
   */
  put(image, width, height) {
    this._drop();
    this._image = image;
    this._width = width;
    this._height = height;
    if (this.shown) this._dirty(this);
  }

  /** Paints what waits. */
  paint() {
    const image = this._image;
    if (!image || !this.shown) return;
    const { _width: width, _height: height } = this;
    for (const [canvas, { context, place }] of this._canvases) {
      const size = paintedSize(width, height, place);
      // Setting a canvas's size clears it, so only when it changes.
      if (canvas.width !== size.width) canvas.width = size.width;
      if (canvas.height !== size.height) canvas.height = size.height;
      context.drawImage(image, 0, 0, size.width, size.height);
    }
    this._drop();
    this._painted(width, height);
  }

  /** Lets everything go. */
  close() {
    this._drop();
    this._canvases.clear();
  }

  _drop() {
    if (this._image && 'close' in this._image) this._image.close();
    this._image = null;
  }
}

/** All screens, painted in one animation frame of the window that has one first. */
export class Painter {
  constructor() {
    /** @type {Set<Screen>} */
    this._dirty = new Set();
    /** The windows that were asked for a frame; a hidden one answers once it is seen. @type {WeakSet<Window>} */
    this._asked = new WeakSet();
    this._run = () => {
      for (const screen of this._dirty) screen.paint();
      this._dirty.clear();
    };
  }

  /**
   * @param {(width: number, height: number) => void} painted
   * @returns {Screen}
   */
  screen(painted) {
    return new Screen((screen) => {
      this._dirty.add(screen);
      for (const view of screen.windows) this._ask(view);
    }, painted);
  }

  /** @param {Window} view */
  _ask(view) {
    // One that was closed never answers.
    if (this._asked.has(view) || view.closed) return;
    this._asked.add(view);
    view.requestAnimationFrame(() => {
      this._asked.delete(view);
      this._run();
    });
  }
}
