import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Ladder, LIMIT } from '../../ui/platform/browser/rtc/ladder.js';
import { h264First } from '../../ui/platform/browser/rtc/lane.js';

test('a call begins over its WebSocket, and UDP is tried at once behind its back', () => {
  const ladder = new Ladder(true);
  assert.equal(ladder.way, 'websocket');
  assert.equal(ladder.why, 'trying');
  assert.ok(ladder.tries(0));
  assert.ok(!ladder.tries(10), 'one try at a time');
  ladder.up(150);
  assert.equal(ladder.way, 'webrtc');
  assert.equal(ladder.why, 'none');
});

test('without WebRTC nothing is tried', () => {
  const ladder = new Ladder(false);
  assert.ok(!ladder.tries(0));
  assert.deepEqual([ladder.way, ladder.why], ['websocket', 'missing']);
});

test('a try has a limit', () => {
  const ladder = new Ladder(true);
  ladder.tries(1000);
  assert.ok(!ladder.late(1000 + LIMIT));
  assert.ok(ladder.late(1001 + LIMIT));
  ladder.failed(1001 + LIMIT, 'silent');
  assert.ok(!ladder.late(1e9));
  assert.equal(ladder.why, 'silent');
});

/** How many tries there are in a day on a network that lets none through. */
function tries(from, milliseconds, ladder) {
  let count = 0;
  for (let now = from; now < from + milliseconds; now += 500) {
    if (!ladder.tries(now)) continue;
    count += 1;
    ladder.failed(now + 100, 'silent');
  }
  return count;
}

test('what fails is tried ever more seldom, until the network is another one', () => {
  const ladder = new Ladder(true);
  const first = tries(0, 60_000, ladder);
  const hour = tries(60_000, 3_600_000, ladder);
  assert.ok(first >= 3 && first <= 6, `${first}`);
  assert.ok(hour <= 20, `${hour}`);
  ladder.changed();
  assert.ok(ladder.tries(3_660_000));
});

test('one that held for long is tried again soon, one that comes and goes isn\'t', () => {
  const steady = new Ladder(true);
  tries(0, 600_000, steady);
  steady.changed();
  steady.tries(600_000);
  steady.up(600_100);
  steady.failed(700_000, 'lost');
  assert.ok(!steady.tries(700_000) && steady.tries(705_000));
  const flickering = new Ladder(true);
  let ups = 0;
  for (let now = 0; now < 3_600_000; now += 500) {
    if (!flickering.tries(now)) continue;
    ups += 1;
    flickering.up(now);
    flickering.failed(now + 400, 'lost');
  }
  assert.ok(ups < 25, `${ups}`);
});

test('of an answer the picture that is sent has H.264 first, and nothing else changes', () => {
  const video = (mid, formats) => `m=video 9 UDP/TLS/RTP/SAVPF ${formats}\r\na=mid:${mid}\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:102 H264/90000\r\na=rtpmap:104 H264/90000\r\n`;
  const sdp = `v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n${video(1, '96 97 102 103 104')}${video(3, '96 102')}`;
  const told = h264First(sdp, '1');
  assert.equal(told, sdp.replace('96 97 102 103 104', '102 104 96 97 103'));
  assert.equal(h264First(told, '1'), told);
  assert.equal(h264First(sdp, '7'), sdp);
});
