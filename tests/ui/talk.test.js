// The microphone's button: touched once, or held, by finger, by key, and by programs that only click.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

/** @type {any} */
const scope = globalThis;
scope.window = new EventTarget();
scope.document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
const { microphoneButton } = await import('../../ui/views/talk.js');

/** @param {string} type @param {object} [more] */
const event = (type, more = {}) => Object.assign(new Event(type, { cancelable: true }), more);

/** @type {string[]} */
let done = [];
beforeEach(() => {
  done = [];
});

/** @param {boolean} holds */
function made(holds) {
  const element = Object.assign(new EventTarget(), { setPointerCapture() {} });
  const settings = { holds };
  const talk = microphoneButton(/** @type {any} */ (element), {
    toggle: () => done.push('toggle'), talk: (on) => done.push(on ? 'talk' : 'quiet'), holds: () => settings.holds,
  });
  /** @param {string} type @param {object} [more] */
  const on = (type, more) => element.dispatchEvent(event(type, more));
  return { talk, on, settings, element };
}

test('touched once it changes, however it is touched', () => {
  const { talk, on } = made(false);
  for (const type of ['pointerdown', 'pointerup']) on(type, { button: 0, pointerId: 1 });
  on('click', { detail: 1 });
  on('keydown', { key: ' ' });
  on('keyup', { key: ' ' });
  on('click', { detail: 0 });
  talk.pressed();
  talk.released();
  assert.deepEqual(done, ['toggle', 'toggle', 'toggle']);
});

test('held by a finger it is open that long, and the click at the end changes nothing', () => {
  const { on } = made(true);
  on('pointerdown', { button: 0, pointerId: 1 });
  assert.deepEqual(done, ['talk']);
  on('pointerup', { pointerId: 1 });
  on('lostpointercapture', { pointerId: 1 });
  on('click', { detail: 1 });
  assert.deepEqual(done, ['talk', 'quiet']);
});

test('held by the button’s own keys, with their repeats', () => {
  for (const key of [' ', 'Enter']) {
    done = [];
    const { on } = made(true);
    for (let repeat = 0; repeat < 3; repeat += 1) {
      on('keydown', { key });
      // Enter clicks with each repeat, the space bar once at the end.
      if (key === 'Enter') on('click', { detail: 0 });
    }
    on('keyup', { key });
    if (key === ' ') on('click', { detail: 0 });
    assert.deepEqual(done, ['talk', 'quiet'], JSON.stringify(key));
  }
});

test('a program that can only click changes it, instead of holding', () => {
  const { on } = made(true);
  on('click', { detail: 0 });
  assert.deepEqual(done, ['toggle']);
});

test('held by two it is open until both are released', () => {
  const { talk, on } = made(true);
  talk.pressed();
  talk.pressed();
  on('pointerdown', { button: 0, pointerId: 1 });
  talk.released();
  assert.deepEqual(done, ['talk']);
  on('pointercancel', { pointerId: 1 });
  assert.deepEqual(done, ['talk', 'quiet']);
});

test('what is held when the page is left is held no more', () => {
  const leave = [
    () => scope.window.dispatchEvent(event('blur')),
    () => {
      scope.document.visibilityState = 'hidden';
      scope.document.dispatchEvent(event('visibilitychange'));
      scope.document.visibilityState = 'visible';
    },
  ];
  for (const left of leave) {
    done = [];
    const { talk } = made(true);
    talk.pressed();
    left();
    talk.released();
    assert.deepEqual(done, ['talk', 'quiet']);
    talk.destroy();
  }
});

test('the focus that goes ends what a key of the button held; another button of a mouse holds nothing', () => {
  const { on } = made(true);
  on('keydown', { key: ' ' });
  on('blur');
  assert.deepEqual(done, ['talk', 'quiet']);
  on('pointerdown', { button: 2, pointerId: 1 });
  assert.deepEqual(done, ['talk', 'quiet']);
});

test('the setting counts when something is pressed; released is released', () => {
  const { talk, settings } = made(true);
  talk.pressed();
  settings.holds = false;
  talk.released();
  assert.deepEqual(done, ['talk', 'quiet']);
  talk.pressed();
  assert.deepEqual(done, ['talk', 'quiet', 'toggle']);
});

test('when the call is over nothing listens any more', () => {
  const { talk } = made(true);
  talk.pressed();
  talk.destroy();
  assert.deepEqual(done, ['talk', 'quiet']);
  scope.window.dispatchEvent(event('blur'));
  assert.deepEqual(done, ['talk', 'quiet']);
});
