// What is asked for by whether anybody sees it, and in which window it is painted.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Painter } from '../../ui/platform/browser/painter.js';
import { Sight, UNSEEN_MS } from '../../ui/platform/browser/sight.js';

test('a page that goes out of sight asks for pictures a while longer, then for none, and at once again when it is seen', () => {
  const sight = new Sight(true);
  assert.equal(sight.asks(1_000_000), true);
  assert.equal(sight.turned(false, 10_000), UNSEEN_MS);
  assert.equal(sight.asks(10_000 + UNSEEN_MS - 1), true);
  assert.equal(sight.asks(10_000 + UNSEEN_MS), false);
  assert.equal(sight.asks(1e12), false);
  assert.equal(sight.turned(true, 1e12), 0);
  assert.equal(sight.asks(1e12), true);
});

test('a glance elsewhere changes nothing, and said twice it is one', () => {
  const sight = new Sight(true);
  for (let at = 0; at < 60_000; at += 2 * UNSEEN_MS) {
    sight.turned(false, at);
    assert.equal(sight.turned(false, at + 1000), UNSEEN_MS - 1000);
    for (let later = at; later < at + UNSEEN_MS; later += 100) assert.equal(sight.asks(later), true);
    sight.turned(true, at + UNSEEN_MS - 1);
    assert.equal(sight.asks(at + 2 * UNSEEN_MS), true);
  }
});

test('a page that opens unseen, or is stopped by the system, asks for nothing from the start', () => {
  const sight = new Sight(false);
  assert.equal(sight.asks(0), false);
  assert.equal(sight.turned(false, 5), 0);
  sight.turned(true, 10);
  sight.turned(false, 20);
  sight.frozen();
  assert.equal(sight.asks(20), false);
  sight.turned(true, 30);
  assert.equal(sight.asks(30), true);
});

/** A window whose frames come when they are called for. @param {boolean} hidden */
function view(hidden) {
  /** @type {(() => void)[]} */
  const frames = [];
  const made = {
    closed: false,
    requestAnimationFrame: (/** @type {() => void} */ run) => void frames.push(run),
    document: /** @type {any} */ ({ hidden }),
    waiting: () => frames.length,
    frame: () => frames.splice(0).forEach((run) => run()),
    /** A canvas of this window, and how often it was painted. */
    canvas() {
      const canvas = { width: 0, height: 0, painted: 0, ownerDocument: made.document, getContext: () => ({ drawImage: () => (canvas.painted += 1) }) };
      return canvas;
    },
  };
  made.document.defaultView = made;
  return made;
}
const place = { width: 64, height: 36 };
const image = () => /** @type {any} */ ({ close() {} });

test('pictures are painted in the frame of a window that is seen, while the page is hidden', () => {
  const [page, small] = [view(true), view(false)];
  const painter = new Painter();
  const screen = painter.screen(() => {});
  const [tile, floating] = [page.canvas(), small.canvas()];
  screen.add(/** @type {any} */ (tile), place);
  assert.equal(screen.seen, false);
  for (let i = 0; i < 100; i += 1) screen.put(image(), 64, 36);
  assert.equal(page.waiting(), 1, 'a hidden page is asked once, however many pictures come');
  screen.add(/** @type {any} */ (floating), place);
  assert.equal(screen.seen, true);
  for (let i = 0; i < 5; i += 1) {
    screen.put(image(), 64, 36);
    small.frame();
  }
  assert.deepEqual([floating.painted, page.waiting()], [5, 1]);
  page.document.hidden = false;
  screen.put(image(), 64, 36);
  page.frame();
  small.frame();
  assert.equal(floating.painted, 6, 'once, whichever comes first');
  assert.equal(tile.painted, 6);
});

test('a window that was closed is asked for nothing', () => {
  const gone = view(false);
  const painter = new Painter();
  const screen = painter.screen(() => {});
  screen.add(/** @type {any} */ (gone.canvas()), place);
  gone.closed = true;
  screen.put(image(), 64, 36);
  assert.equal(gone.waiting(), 0);
});
