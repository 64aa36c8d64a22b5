// Painting: the newest picture of each member, into the canvases that show it, once per repaint
// of the screen.

/** @typedef {VideoFrame | ImageBitmap | HTMLImageElement | HTMLVideoElement} Image */

/** One member's canvases, and the picture that waits to be painted into them. */
export class Screen {
  /**
   * @param {(screen: Screen) => void} dirty  there is something to paint
   * @param {(width: number, height: number) => void} painted  a picture was painted
   */
  constructor(dirty, painted) {
    this._dirty = dirty;
    this._painted = painted;
    /** @type {Map<HTMLCanvasElement, CanvasRenderingContext2D>} */
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

  /** @param {HTMLCanvasElement} canvas */
  add(canvas) {
    const context = canvas.getContext('2d', { alpha: false });
    if (!context) return;
    this._canvases.set(canvas, context);
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
    for (const [canvas, context] of this._canvases) {
      // Setting a canvas's size clears it, so only when it changes.
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      context.drawImage(image, 0, 0, width, height);
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

/** All screens, painted in one animation frame. */
export class Painter {
  constructor() {
    /** @type {Set<Screen>} */
    this._dirty = new Set();
    this._asked = false;
    this._run = () => {
      this._asked = false;
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
      if (this._asked) return;
      this._asked = true;
      requestAnimationFrame(this._run);
    }, painted);
  }
}
