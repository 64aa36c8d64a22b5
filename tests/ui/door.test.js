// Ways in: invitations, codes, and what browsers say that they are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { guess, insideOf } from '../../ui/call/agent.js';
import { appLinkTo, baseFor, digitsOf, grouped, intentFor, invited, linkTo, shownBase } from '../../ui/call/door.js';
import { roomCode } from '../../ui/platform/room-code.js';
import { certificate, ordered, permissions } from '../../ui/views/help-steps.js';

const ROOM = '00ff10abcdef0123';

test('a link leads to its room, names nobody, and asks the relay for nothing', () => {
  for (const kind of ['bed', 'meeting']) {
    const url = new URL(linkTo('https://192.0.2.14:3000', { room: ROOM, kind }));
    assert.deepEqual(invited(url.hash), { room: ROOM, kind });
    assert.equal(url.pathname + url.search, '/', 'all of it is in the fragment');
  }
});

test('the app’s link names the host, its fingerprint and the room', () => {
  assert.equal(appLinkTo('https://[2001:db8::5]:3000', 'sha256:ab', { room: ROOM, kind: 'bed' }), `visita://[2001:db8::5]:3000/i/${ROOM}?fp=sha256:ab`);
  assert.equal(appLinkTo('https://visits.example', 'sha256:ab', { room: ROOM, kind: 'bed' }), `visita://visits.example:443/i/${ROOM}?fp=sha256:ab`);
  assert.equal(appLinkTo('https://192.0.2.14:3000', 'sha256:ab', { room: ROOM, kind: 'meeting' }), `visita://192.0.2.14:3000/m/${ROOM}?fp=sha256:ab`);
});

test('what is no invitation invites nowhere', () => {
  for (const hash of ['', '#', `#/i/${ROOM}0`, `#/i/${ROOM.slice(1)}`, `#/i/${ROOM.toUpperCase()}`, `#/x/${ROOM}`, `#i/${ROOM}`, `#/i/${ROOM}/`, `#room=${ROOM}`, '#/i/../../../etc']) {
    assert.equal(invited(hash), null, hash);
  }
});

test('others are led where this page was reached, and from the host itself to its address', () => {
  const links = ['https://ward.example', 'https://192.0.2.14:3000'];
  assert.equal(baseFor('https://198.51.100.7:3000', links), 'https://198.51.100.7:3000');
  for (const own of ['https://127.0.0.1:3000', 'https://localhost:3000', 'https://[::1]:3000']) assert.equal(baseFor(own, links), 'https://ward.example');
  assert.equal(baseFor('https://127.0.0.1:3000', ['https://127.0.0.1:3000']), 'https://127.0.0.1:3000');
  assert.equal(baseFor('https://127.0.0.1:3000', []), 'https://127.0.0.1:3000');
  assert.equal(shownBase('https://192.0.2.14:3000'), '192.0.2.14:3000');
});

test('a code is read however it is typed or pasted', () => {
  for (const text of ['042917', '042 917', ' 0 4 2 9 1 7 ', 'Código: 042-917.', '٠٤٢٩١٧', '０４２９１７', '0429178']) assert.equal(digitsOf(text), '042917', text);
  assert.equal(digitsOf('Ana'), '');
  assert.deepEqual(['', '0', '042', '0429', '042917'].map(grouped), ['', '0', '042', '042 9', '042 917']);
});

test('an address for Android keeps its fragment', () => {
  const href = linkTo('https://192.0.2.14:3000', { room: ROOM, kind: 'bed' });
  const intent = intentFor(href);
  const at = intent.lastIndexOf('#');
  assert.ok(intent.startsWith('#Intent;', at) && intent.endsWith(';end'));
  assert.equal(intent.slice(0, at).replace(/^intent:/, 'https:'), href);
});

/** As browsers and apps name themselves: the system, the browser, and the app around the page. @type {[agent: string, system: string, browser: string, inside: string | null, touches?: number][]} */
const AGENTS = [
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.1 Mobile/15E148 Safari/604.1', 'ios', 'safari', null],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/91.0.4472.80 Mobile/15E148 Safari/604.1', 'ios', 'chrome', null],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15', 'ios', 'firefox', null],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/125.0.2535.60 Mobile/15E148 Safari/605.1.15', 'ios', 'edge', null],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15', 'ios', 'safari', null, 5],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15', 'macos', 'safari', null],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0', 'macos', 'firefox', null],
  ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36', 'android', 'chrome', null],
  ['Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0', 'android', 'firefox', null],
  ['Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-A536E) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36', 'android', 'samsung', null],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0', 'windows', 'edge', null],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36', 'windows', 'chrome', null],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'linux', 'firefox', null],
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36', 'linux', 'chrome', null],
  // The page inside an app.
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBDV/iPhone13,3;FBMD/iPhone;FBSN/iOS;FBSV/14.5;FBSS/3;FBID/phone;FBLC/ja_JP;FBOP/5]', 'ios', 'other', 'Facebook'],
  ['Mozilla/5.0 (Linux; Android 11; Pixel 4 Build/RQ3A.210605.005; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/91.0.4472.101 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/324.0.0.48.120;]', 'android', 'chrome', 'Facebook'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/MessengerForiOS;FBAV/417.0.0.32.109;FBBV/500000000;FBDV/iPhone12,1;FBMD/iPhone;FBSN/iOS;FBSV/16.6;FBSS/2;FBID/phone;FBLC/es_LA;FBOP/5]', 'ios', 'other', 'Messenger'],
  ['Mozilla/5.0 (Linux; Android 12; SM-A125M Build/SP1A.210812.016; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/114.0.5735.60 Mobile Safari/537.36 [FB_IAB/Orca-Android;FBAV/413.0.0.12.88;]', 'android', 'chrome', 'Messenger'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 192.0.0.37.119 (iPhone13,3; iOS 14_5; ja_JP; ja-JP; scale=3.00; 1170x2532; 298025449)', 'ios', 'other', 'Instagram'],
  ['Mozilla/5.0 (Linux; Android 11; Pixel 4 Build/RQ3A.210605.005; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/91.0.4472.101 Mobile Safari/537.36 Instagram 192.0.0.35.123 Android (30/11; 440dpi; 1080x2148; Google/google; Pixel 4; flame; flame; ja_JP; 298025450)', 'android', 'chrome', 'Instagram'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 14_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/11.8.2', 'ios', 'other', 'LINE'],
  ['Mozilla/5.0 (Linux; Android 11; Pixel 4 Build/RQ3A.210605.005; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/91.0.4472.101 Mobile Safari/537.36 Line/11.9.1/IAB', 'android', 'chrome', 'LINE'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.38(0x1800262c) NetType/WIFI Language/en', 'ios', 'other', 'WeChat'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.27.5028', 'ios', 'other', 'LinkedIn'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 musical_ly_29.9.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/es Region/MX', 'ios', 'other', 'TikTok'],
  ['Mozilla/5.0 (Linux; Android 12; M2101K6G Build/SKQ1.210908.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/114.0.5735.60 Mobile Safari/537.36 trill_300104 JsSdk/1.0 NetType/WIFI BytedanceWebview/d8a21c6', 'android', 'chrome', 'TikTok'],
  ['Mozilla/5.0 (Linux; Android 13; Pixel 6 Build/TQ3A.230705.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/114.0.5735.196 Mobile Safari/537.36 Telegram-Android/10.0.5 (Google Pixel 6; Android 13; SDK 33; HIGH)', 'android', 'chrome', 'Telegram'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/267.0.537056344 Mobile/15E148 Safari/604.1', 'ios', 'safari', 'Google'],
  ['Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.53 Mobile Safari/537.36', 'android', 'chrome', ''],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148', 'ios', 'other', ''],
];

describe('what a browser says that it is', () => {
  for (const [agent, system, browser, inside, touches] of AGENTS) {
    test(agent, () => {
      assert.deepEqual(guess({ agent, touches }), { system, browser });
      assert.equal(insideOf({ agent, secure: true, devices: true })?.name ?? null, inside);
    });
  }

  test('a page that can be given no camera stands in an app, unless it only isn’t safe', () => {
    const agent = AGENTS[7][0];
    assert.equal(insideOf({ agent, secure: true, devices: false })?.out, 'any');
    assert.equal(insideOf({ agent, secure: false, devices: false }), null);
  });
});

test('every system has its steps, and those for this browser come first', () => {
  for (const system of /** @type {const} */ (['ios', 'android', 'windows', 'macos', 'linux'])) {
    assert.ok(certificate[system].install.every(({ steps }) => steps.length > 1) && certificate[system].without.length > 0, system);
    assert.ok(permissions[system].length > 1, system);
  }
  assert.equal(ordered(permissions.windows, 'firefox')[0].title, 'way-firefox');
  assert.equal(ordered(permissions.windows, 'edge')[0].title, 'way-chrome');
  assert.deepEqual(ordered(permissions.macos, 'samsung').length, permissions.macos.length);
});

describe('six digits for a room', () => {
  /** A call to which things happen. */
  const call = () => {
    /** @type {Set<(event: any) => void>} */
    const listeners = new Set();
    return {
      listeners,
      /** @param {object} message */
      says: (message) => [...listeners].forEach((on) => on({ type: 'relay', message })),
      /** @param {object[]} past */
      subscribe: (past = []) => (/** @type {(event: any) => void} */ on) => {
        for (const message of past) on({ type: 'relay', message });
        listeners.add(on);
        return () => listeners.delete(on);
      },
    };
  };

  test('the answer is the next one, not one from before', async () => {
    const { says, subscribe, listeners } = call();
    const asked = roomCode(subscribe([{ type: 'code', code: '111111', valid_s: 1 }]), () => 7);
    says({ type: 'left' });
    says({ type: 'error', code: 'rate_limited', reply_to: 6 });
    says({ type: 'code', code: '042917', valid_s: 600 });
    assert.deepEqual(await asked, { code: '042917', valid_s: 600 });
    assert.equal(listeners.size, 0);
  });

  test('a refusal is the answer to this question alone', async () => {
    const { says, subscribe } = call();
    const asked = roomCode(subscribe(), () => 7);
    says({ type: 'error', code: 'busy', reply_to: 7 });
    await assert.rejects(asked, (code) => code === 'busy');
    const app = roomCode(subscribe(), () => undefined);
    says({ type: 'error', code: 'chat_empty', reply_to: 3 });
    says({ type: 'error', code: 'unknown_message', reply_to: 4 });
    await assert.rejects(app, (code) => code === 'unknown_message');
    await assert.rejects(roomCode(subscribe(), () => null), (code) => code === 'timeout');
  });
});

test('the code’s maker is the package that the tests read codes with', () => {
  const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), 'utf8');
  assert.equal(read('../../ui/vendor/qr/index.js'), read('../../node_modules/qr/index.js'));
});
