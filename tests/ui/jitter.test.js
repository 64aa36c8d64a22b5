// The recorded traces of arrivals, which Rust plays as well (`media/tests/sound_traces.rs`): decided
// the same, within the same bounds.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';

import { Delays } from '../../ui/protocol/delays.js';
import { PACKET, Plan, TICK } from '../../ui/protocol/jitter.js';

const folder = new URL('../../media/tests/traces/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

const TIME = 1_000_000_000;
const ARRIVAL = 5_000_000_000;
const BACK = 3_000_000;

/** The packets of a trace, as they come. */
function coming(trace) {
  const packets = [];
  let sequence = 0;
  let jumped = 0;
  /** All that was sent, lost or not. */
  const sent = [];
  const repeats = trace.copies ?? 0;
  for (let index = 0; index < trace.packets; index += 1) {
    for (const [at, by] of trace.jumps) if (at === index) jumped += by;
    if (trace.silences.some(([from, to]) => from <= index && index < to)) continue;
    const number = sequence;
    sequence += 1;
    const packet = {
      sequence: number, time: TIME + index * PACKET + jumped, payload: null,
      silence: trace.silences.some(([from]) => from > index && from <= index + 1 + repeats),
    };
    const copies = sent.slice(Math.max(0, sent.length - repeats)).filter((before) => index - before.index <= repeats);
    sent.push({ index, packet });
    const delay = trace.delays_us[index % trace.delays_us.length];
    if (delay < 0) continue;
    packets.push({
      index,
      arrival: ARRIVAL + index * PACKET + Math.trunc((index * trace.drift_ppm) / 50) + delay,
      copies: copies.map((before) => before.packet),
      packet,
    });
  }
  return packets.sort((a, b) => a.arrival - b.arrival || a.index - b.index);
}

const ADDS = new Set(['decode', 'repair', 'conceal']);

/** Plays a trace with pieces of exactly 10 ms; answers what was decided and how late it was. */
function play(trace) {
  const packets = coming(trace);
  const end = packets[packets.length - 1].arrival + 500_000;
  const plan = new Plan();
  const decisions = {};
  const lates = [];
  let at = 0;
  let ahead = 0;
  for (let now = ARRIVAL + TICK; now - TICK < end; now += TICK) {
    while (at < packets.length && packets[at].arrival <= now) {
      for (const copy of packets[at].copies) plan.copy(copy, packets[at].arrival);
      plan.packet(packets[at].packet, packets[at].arrival);
      at += 1;
    }
    for (;;) {
      const { what } = plan.decide(now, ahead);
      decisions[what] = (decisions[what] ?? 0) + 1;
      if (ADDS.has(what)) {
        ahead += PACKET;
        continue;
      }
      if (what === 'play' || what === 'accelerate' || what === 'expand') lates.push([now, plan.late(now, ahead)]);
      const taken = { play: TICK, accelerate: 2 * TICK, nothing: Math.min(ahead, TICK) }[what] ?? 0;
      assert.ok(taken <= ahead, 'what lies ready is known');
      ahead -= taken;
      break;
    }
  }
  const sorted = lates.map(([, late]) => late).sort((a, b) => a - b);
  const part = (percent) => sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1];
  const { concealed_us, repaired_us, left_out, late, copied } = plan.counts;
  return {
    lates,
    expect: {
      decisions, late_p50_us: part(50), late_p95_us: part(95), late_max_us: part(100),
      concealed_us, repaired_us, left_out, late_packets: late, ...(copied > 0 && { copied }),
    },
  };
}

test('there are traces', () => assert.ok(names.length >= 5, names.join()));

for (const name of names) {
  const trace = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
  test(`${name}: ${trace.about}`, () => {
    const { expect, lates } = play(trace);
    assert.deepEqual(expect, trace.expect);
    const { late_p95_us, concealed_permille, back } = trace.bounds;
    assert.ok(expect.late_p95_us <= late_p95_us, `p95 ${expect.late_p95_us} µs late`);
    const permille = Math.floor((expect.concealed_us * 1000) / (lates.length * TICK));
    assert.ok(permille <= concealed_permille, `${permille} ‰ concealed`);
    if (!back) return;
    const arrived = coming(trace).find(({ index }) => index === back.packet).arrival;
    const worst = Math.max(...lates.filter(([now]) => now >= arrived + BACK).map(([, late]) => late));
    assert.ok(worst <= back.late_us, `still ${worst} µs late`);
  });
}

test('a longer way becomes the usual one, and is no lateness', () => {
  const seen = new Delays();
  for (let n = 0; n < 500; n += 1) seen.add(n * PACKET, 5_001_000);
  for (let n = 500; n < 800; n += 1) seen.add(n * PACKET, 5_101_000);
  assert.deepEqual([seen.fastest, seen.target], [5_101_000, 20_000]);
});
