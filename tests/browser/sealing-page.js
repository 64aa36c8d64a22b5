// Two connections in one page of a real browser, one sealing and one opening: run by `sealing.test.js`
// in a network namespace of its own, since browsers don't connect over loopback alone. Takes the case as
// JSON, and prints what was seen as JSON.
import { chromium, firefox, until } from './browsers.js';
import { serveUi } from './static.js';

/** Frames that must come in each step. */
const ENOUGH = 30;
/** Different pictures that must be painted. */
const PICTURES = 4;

/** Runs in the page: a camera and a microphone, sent to the same page. */
async function connect({ codec, picture }) {
  const [{ canSeal, connectionOptions, Sealing }, { baseKey }] = await Promise.all([
    import('/platform/browser/sealing.js'), import('/protocol/sframe.js'),
  ]);
  const key = () => baseKey(Uint8Array.from({ length: 16 }, (_, at) => at));
  const [from, to] = [0, 1].map(() => new RTCPeerConnection(connectionOptions()));
  from.onicecandidate = ({ candidate }) => to.addIceCandidate(candidate);
  to.onicecandidate = ({ candidate }) => from.addIceCandidate(candidate);
  const media = await navigator.mediaDevices.getUserMedia({ video: picture, audio: true });
  // Each side has its own worker with its own keys, as two participants have.
  const [seals, opens] = [new Sealing(), new Sealing()];
  const kinds = [
    { kind: 'audio', codec: 'opus', kid: { member: 5, epoch: 1, track: 8 } },
    { kind: 'video', codec, kid: { member: 5, epoch: 1, track: 0 } },
  ];
  const lanes = kinds.map((one) => {
    const { receiver } = to.addTransceiver(one.kind, { direction: 'recvonly' });
    return { ...one, receiver, opened: opens.openReceiver(receiver, { sender: 5, track: one.kid.track, codec: one.codec }) };
  });
  to.getTransceivers().forEach((transceiver, at) => {
    const { codecs } = RTCRtpReceiver.getCapabilities(kinds[at].kind);
    transceiver.setCodecPreferences(codecs.filter(({ mimeType, sdpFmtpLine = '' }) => mimeType.toLowerCase().endsWith(`/${kinds[at].codec}`)
      && (codec !== 'h264' || kinds[at].kind === 'audio' || /packetization-mode=1/.test(sdpFmtpLine))));
  });
  await to.setLocalDescription();
  await from.setRemoteDescription(to.localDescription);
  from.getTransceivers().forEach((transceiver, at) => {
    transceiver.direction = 'sendonly';
    lanes[at].sealed = seals.sealSender(transceiver.sender, { track: kinds[at].kid.track, codec: kinds[at].codec });
    transceiver.sender.replaceTrack(media.getTracks().find(({ kind }) => kind === kinds[at].kind));
  });
  await from.setLocalDescription();
  await to.setRemoteDescription(from.localDescription);
  const video = document.createElement('video');
  Object.assign(video, { autoplay: true, muted: true, srcObject: new MediaStream(lanes.map(({ receiver }) => receiver.track)) });
  document.body.append(video);
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: 16, height: 12 });
  const pencil = canvas.getContext('2d', { willReadFrequently: true });
  const pictures = new Set();
  const look = () => {
    if (video.videoWidth === 0) return;
    pencil.drawImage(video, 0, 0, canvas.width, canvas.height);
    pictures.add(pencil.getImageData(0, 0, canvas.width, canvas.height).data.join());
  };
  globalThis.loop = {
    way: canSeal(),
    sealWith: async () => Promise.all(kinds.map(async (one) => seals.sealWith(one.kid, one.codec, await key()))),
    openWith: async () => Promise.all(kinds.map(async ({ kid }) => opens.openWith(kid, await key()))),
    again: async () => seals.sealWith(kinds[0].kid, 'opus', await key()).then(() => 'taken', ({ problem }) => problem),
    async own() {
      const header = { sender: 5, track: 0, layer: { spatial: 0, temporal: 0 }, timestamp: 7, chunk: 0, chunks: 1, references: [], level: null };
      const order = [];
      const carry = async (sequence, change = {}) => {
        const whole = { ...header, sequence };
        const sealed = await seals.seal(whole, Uint8Array.of(1, 2, sequence));
        const opened = await opens.open({ ...whole, ...change }, codec, sealed);
        order.push(sequence);
        const same = Object.keys(whole).every((name) => JSON.stringify(opened.header[name]) === JSON.stringify(whole[name]));
        return same && opened.payload.join() === `1,2,${sequence}`;
      };
      const carried = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((sequence) => carry(sequence)));
      const refused = await carry(9, { sequence: 10 }).catch(({ problem }) => problem);
      const keyless = await seals.seal({ ...header, track: 3, sequence: 0 }, new Uint8Array(1)).catch(({ problem }) => problem);
      return { carried, order, refused, keyless };
    },
    expect: (sender) => Promise.all(lanes.map(({ opened }) => opened.change({ sender }))),
    async seen() {
      look();
      const seen = { width: video.videoWidth, height: video.videoHeight, pictures: pictures.size };
      for (const { kind, receiver, sealed, opened } of lanes) {
        const rows = [...(await receiver.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
        const { framesDecoded = 0, packetsReceived = 0, totalSamplesReceived = 0, concealedSamples = 0 } = rows[0] ?? {};
        const decoded = kind === 'video' ? framesDecoded : totalSamplesReceived - concealedSamples;
        seen[kind] = { decoded, packets: packetsReceived, sealed: await sealed.counts(), opened: await opened.counts() };
      }
      return seen;
    },
  };
}

/** @param {{ browser: 'chromium' | 'firefox', codec: string, older?: boolean }} options */
async function run({ browser: name, codec, older = false }) {
  const { browser, close } = await (name === 'firefox'
    ? firefox({ prefs: { 'media.peerconnection.enabled': true, 'media.peerconnection.ice.obfuscate_host_addresses': false } })
    : chromium({ args: ['--force-webrtc-ip-handling-policy=default'] }));
  const server = await serveUi();
  try {
    const page = await browser.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    if (older) await page.evaluateOnNewDocument(() => delete globalThis.RTCRtpScriptTransform);
    await page.goto(`${server.origin}/blank`);
    // Smaller than what the constant bytes before a sealed frame say.
    await page.evaluate(connect, { codec, picture: { width: 320, height: 240 } });
    const seen = () => page.evaluate(() => globalThis.loop.seen());
    const step = (what, enough) => until(what, async () => {
      const now = await seen();
      if (enough(now)) return now;
      throw new Error(JSON.stringify(now));
    });
    const act = (name, ...given) => page.evaluate((one, args) => globalThis.loop[one](...args), name, given);
    const result = { way: await page.evaluate(() => globalThis.loop.way), steps: {} };
    const both = (of) => (now) => ['audio', 'video'].every((kind) => of(now[kind]));
    const refused = (reason, before = null) => both(({ opened }) => (opened?.refused[reason] ?? 0) >= (before ?? 0) + ENOUGH);
    result.steps.nobodyHasAKey = await step('frames that can\'t be sealed', both(({ sealed }) => sealed?.refused.no_key >= ENOUGH));
    await act('sealWith');
    result.steps.noKey = await step('sealed frames that can\'t be opened', refused('no_key'));
    await act('openWith');
    result.steps.opened = await step('frames that are opened', (now) => now.video.decoded >= ENOUGH && now.audio.decoded > 48_000
      && now.audio.opened.frames >= ENOUGH && now.pictures >= PICTURES);
    await act('expect', 6);
    result.steps.another = await step('frames of another than the one expected', refused('sender'));
    result.steps.anotherLater = await step('more of them', both(({ opened }) => opened.refused.sender >= 2 * ENOUGH));
    await act('expect', 5);
    result.steps.again = await step('frames again', (now) => now.video.decoded >= result.steps.anotherLater.video.decoded + ENOUGH);
    result.own = await act('own');
    result.keyTwice = await act('again');
    result.problems = problems;
    return result;
  } finally {
    await close();
    await server.close();
  }
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2]))));
