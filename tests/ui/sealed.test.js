// Sealed frames: RFC 9605's vectors and our own, which Rust asserts as well, and what holds for any bytes.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { dress, DressError, undress } from '../../ui/protocol/dress.js';
import { kidNumber, kidOf, MAX_PAYLOAD, Opener, SealedError, Sealer } from '../../ui/protocol/sealed.js';
import * as sframe from '../../ui/protocol/sframe.js';

// Node 18 has it only by this name.
globalThis.crypto ??= webcrypto;

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../protocol/vectors/${name}.json`, import.meta.url), 'utf8'));
const bytesOf = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hexOf = (bytes) => Buffer.from(bytes).toString('hex');
const SUITES = { 4: sframe.AES_128_GCM_SHA256_128, 5: sframe.AES_256_GCM_SHA512_128 };
const SUITE = SUITES[4];
const NONE = new Uint8Array(0);
const key = (hex = '000102030405060708090a0b0c0d0e0f') => sframe.baseKey(bytesOf(hex));

/** Pseudo-random numbers, the same each time. */
function generator(state) {
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below;
  };
}

const rfc = vectors('sframe');

test('RFC 9605: every header, both ways', () => {
  for (const { name, kid, ctr, encoded } of rfc.headers) {
    assert.equal(hexOf(sframe.writeHeader(BigInt(kid), BigInt(ctr))), encoded, name);
    assert.deepEqual(sframe.parseHeader(bytesOf(`${encoded}ffff`)), { kid: BigInt(kid), ctr: BigInt(ctr), offset: encoded.length / 2 }, name);
  }
});

for (const { name, hex, error } of rfc.invalid_headers) {
  test(`not a header: ${name}`, () => assert.throws(() => sframe.parseHeader(bytesOf(hex)), { problem: error }));
}

for (const { name, suite, kid, ctr, base_key: base, metadata, plaintext, sealed } of rfc.sealed) {
  test(`RFC 9605: ${name}`, async () => {
    const sealer = await sframe.Sealer.of(SUITES[suite], BigInt(kid), await key(base), BigInt(ctr));
    assert.equal(hexOf(await sealer.seal(bytesOf(metadata), bytesOf(plaintext))), sealed);
    const opener = new sframe.Opener(SUITES[suite]);
    opener.add(BigInt(kid), await key(base));
    const opened = await opener.open(bytesOf(metadata), bytesOf(sealed));
    assert.deepEqual(opened, { kid: BigInt(kid), ctr: BigInt(ctr), plaintext: bytesOf(plaintext) });
    const other = new sframe.Opener(SUITES[suite]);
    other.add(BigInt(kid), await key(base));
    await assert.rejects(other.open(NONE, bytesOf(sealed)), { problem: 'forged' });
  });
}

test('keys stay in WebCrypto', async () => {
  const base = await key();
  assert.equal(base.extractable, false);
  await assert.rejects(crypto.subtle.exportKey('raw', base));
  const sealer = await sframe.Sealer.of(SUITE, 1n, base);
  await assert.rejects(crypto.subtle.exportKey('raw', sealer._key.cipher));
});

test('no counter is used twice, and the last one is the last', async () => {
  const sealer = await sframe.Sealer.of(SUITE, 9n, await key(), sframe.MAX_FRAMES - 20n);
  const sealed = await Promise.all(Array.from({ length: 20 }, () => sealer.seal(NONE, Uint8Array.of(1))));
  assert.equal(new Set(sealed.map((one) => sframe.parseHeader(one).ctr)).size, 20);
  assert.equal(new Set(sealed.map(hexOf)).size, 20);
  await assert.rejects(sealer.seal(NONE, NONE), { problem: 'exhausted' });
  await assert.rejects(sealer.seal(NONE, NONE), { problem: 'exhausted' });
});

test('a frame comes once, within a window, whatever came before', async () => {
  const sealer = await sframe.Sealer.of(SUITE, 9n, await key());
  const frames = await Promise.all(Array.from({ length: 300 }, () => sealer.seal(NONE, NONE)));
  const opener = new sframe.Opener(SUITE);
  opener.add(9n, await key());
  const open = async (ctr) => {
    try {
      return Number((await opener.open(NONE, frames[ctr])).ctr);
    } catch (error) {
      return error.problem;
    }
  };
  assert.equal(await open(5), 5);
  assert.equal(await open(5), 'replayed');
  assert.equal(await open(0), 0);
  assert.equal(await open(130), 130);
  assert.equal(await open(3), 3);
  assert.equal(await open(2), 'replayed', 'too old');
  assert.equal(await open(5), 'replayed');
  assert.equal(await open(299), 299);
  assert.equal(await open(171), 'replayed', 'too old');
  assert.equal(await open(172), 172);
  // The same frame twice at once.
  assert.deepEqual((await Promise.all([open(200), open(200)])).sort(), [200, 'replayed']);
});

test('a forged frame moves nothing, and unknown keys open nothing', async () => {
  const sealer = await sframe.Sealer.of(SUITE, 9n, await key());
  const good = await sealer.seal(NONE, Uint8Array.of(7));
  const opener = new sframe.Opener(SUITE);
  opener.add(9n, await key());
  const forged = Uint8Array.from([...sframe.writeHeader(9n, 100_000n), ...good.subarray(2)]);
  await assert.rejects(opener.open(NONE, forged), { problem: 'forged' });
  assert.deepEqual((await opener.open(NONE, good)).plaintext, Uint8Array.of(7));
  await assert.rejects(opener.open(NONE, sframe.writeHeader(8n, 0n)), { problem: 'no_key' });
  await assert.rejects(opener.open(NONE, sframe.writeHeader(9n, (1n << 64n) - 1n)), { problem: 'replayed' });
  assert.throws(() => opener.add(9n, null), { problem: 'known' });
  assert.ok(opener.remove(9n) && !opener.remove(9n));
  await assert.rejects(opener.open(NONE, good), { problem: 'no_key' });
});

test('an opener holds so many keys and no more', async () => {
  const opener = new sframe.Opener(SUITE);
  const base = await key();
  for (let kid = 0; kid < sframe.MAX_KEYS; kid += 1) opener.add(BigInt(kid), base);
  assert.throws(() => opener.add(99_999n, base), { problem: 'too_many' });
});

const frames = vectors('sealed');

for (const { name, key: base, kid, codec, clear, header, payload, sealed } of frames.valid) {
  test(`sealed: ${name}`, async () => {
    const sealer = await Sealer.of(kid, codec, await key(base));
    assert.equal(hexOf(await sealer.seal({ ...header, chunk: 3, chunks: 9 }, clear, bytesOf(payload))), sealed);
    const opener = new Opener();
    opener.add(kid, await key(base));
    assert.deepEqual(await opener.open({ header }, codec, bytesOf(sealed)), { header, payload: bytesOf(payload) });
    assert.deepEqual(kidOf(kidNumber(kid)), kid);
  });
}

for (const { name, key: base, kid, codec, hint, sealed, header, payload } of frames.hinted) {
  test(`opened: ${name}`, async () => {
    const opener = new Opener();
    opener.add(kid, await key(base));
    assert.deepEqual(await opener.open(hint, codec, bytesOf(sealed)), { header, payload: bytesOf(payload) });
  });
}

for (const { name, key: base, kid, codec, hint, sealed, error } of frames.refused) {
  test(`refused: ${name}`, async () => {
    const opener = new Opener();
    opener.add(kid, await key(base));
    await assert.rejects(opener.open(hint, codec, bytesOf(sealed)), (thrown) => {
      assert.ok(thrown instanceof SealedError || thrown instanceof sframe.SFrameError, String(thrown));
      assert.equal(thrown.field ?? thrown.problem, error);
      return true;
    });
  });
}

test('a key seals its own track, and frames that fit', async () => {
  const sealer = await Sealer.of({ member: 1, epoch: 0, track: 2 }, 'vp8', await key());
  const header = { ...frames.valid[0].header, track: 2 };
  await assert.rejects(sealer.seal({ ...header, track: 1 }, 'header', NONE), { problem: 'track' });
  await assert.rejects(sealer.seal(header, 'header', new Uint8Array(MAX_PAYLOAD + 1)), { problem: 'too_large' });
  assert.ok((await sealer.seal(header, 'header', new Uint8Array(MAX_PAYLOAD))).length <= 1 << 20);
});

const dresses = vectors('dress');

test('dressed: every case, both ways', () => {
  for (const { name, codec, key: isKey, sealed, dressed } of dresses.dressed) {
    assert.equal(hexOf(dress(codec, isKey, bytesOf(sealed))), dressed, name);
    assert.deepEqual(undress(codec, bytesOf(dressed)), { key: isKey, sealed: bytesOf(sealed) }, name);
  }
  for (const { name, codec, key: isKey, sealed, dressed } of dresses.arrived) {
    assert.deepEqual(undress(codec, bytesOf(dressed)), { key: isKey, sealed: bytesOf(sealed) }, name);
  }
});

for (const { name, codec, dressed, error } of dresses.invalid) {
  test(`not dressed: ${name}`, () => assert.throws(() => undress(codec, bytesOf(dressed)), { problem: error }));
}

test('any bytes go through a dress, and any bytes are dressed or a DressError', () => {
  const random = generator(3);
  for (let round = 0; round < 20_000; round += 1) {
    // Few values, so that what looks like start codes and escapes is common.
    const bytes = Uint8Array.from({ length: random(24) }, () => (random(3) ? random(4) : random(256)));
    const isKey = random(2) === 1;
    for (const codec of ['h264', 'vp8']) {
      const dressed = dress(codec, isKey, bytes);
      assert.deepEqual(undress(codec, dressed), { key: isKey, sealed: bytes });
      if (codec === 'h264') assert.equal(hexOf(dressed.subarray(isKey ? 34 : 4)).match(/^(..)*?00000[012]/), null);
      const spoiled = dressed.slice(0, random(dressed.length + 1));
      if (spoiled.length > 0) spoiled[random(spoiled.length)] = random(256);
      try {
        undress(codec, spoiled);
      } catch (error) {
        assert.ok(error instanceof DressError, String(error));
      }
    }
  }
});

test('any bytes are opened or refused', async () => {
  const random = generator(4);
  const opener = new Opener();
  opener.add(frames.valid[0].kid, await key());
  const sources = frames.valid.map(({ sealed }) => bytesOf(sealed));
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = sources[random(sources.length)].slice(0, random(60));
    if (bytes.length > 0) bytes[random(bytes.length)] ^= 1 + random(255);
    await assert.rejects(opener.open({ sender: 5, track: 0, key: true }, 'h264', bytes), sframe.SFrameError);
  }
});
