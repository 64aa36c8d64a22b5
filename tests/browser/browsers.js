// Real browsers, as the tests need them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import puppeteer from 'puppeteer-core';

export const CHROMIUM = process.env.VISITA_CHROMIUM ?? '/usr/bin/chromium';
const FIREFOX = process.env.VISITA_FIREFOX ?? '/usr/bin/firefox-esr';

/** Milliseconds for anything that a test waits for; generous, since nothing is judged by it. */
export const PATIENCE = 60_000;

/**
 * Chromium with a camera that plays a Y4M file; nothing of it leaves this machine.
 * @param {{ camera?: string | null, device?: boolean, allowCamera?: boolean, trustAll?: boolean, args?: string[] }} options
 */
export async function chromium({
  camera = null, device = true, allowCamera = true, trustAll = true, args = [], path = CHROMIUM, pipe = false,
} = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'visita-chromium-'));
  const browser = await puppeteer.launch({
    executablePath: path,
    userDataDir: profile,
    acceptInsecureCerts: trustAll,
    protocolTimeout: 2 * PATIENCE,
    pipe,
    args: [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--disable-dev-shm-usage', '--no-default-browser-check',
      '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
      ...(allowCamera ? ['--use-fake-ui-for-media-stream'] : ['--deny-permission-prompts']),
      ...(device ? ['--use-fake-device-for-media-stream'] : []),
      ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
      ...(trustAll ? ['--ignore-certificate-errors'] : []),
      ...args,
    ],
  });
  return { browser, close: () => closing(browser, profile) };
}

/**
 * Firefox with its own fake camera, whose picture is one colour that changes.
 * @param {{ prefs?: Record<string, unknown>, env?: Record<string, string> }} options
 */
export async function firefox({ prefs = {}, env = {} } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'visita-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    userDataDir: profile,
    headless: true,
    env: { ...process.env, ...env },
    acceptInsecureCerts: true,
    protocolTimeout: 2 * PATIENCE,
    extraPrefsFirefox: {
      'media.navigator.permission.disabled': true,
      'media.navigator.streams.fake': true,
      'media.peerconnection.enabled': false,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'app.normandy.enabled': false,
      'toolkit.telemetry.enabled': false,
      'media.gmp-manager.updateEnabled': false,
      'browser.safebrowsing.update.enabled': false,
      'services.settings.server': 'data:,',
      ...prefs,
    },
  });
  return { browser, close: () => closing(browser, profile) };
}

/** Firefox as it is where no libavcodec is installed and no plugin came: VP8, but no H.264. */
export const withoutH264 = { 'media.ffmpeg.enabled': false };

/** What takes WebCodecs and WebRTC from a page before its scripts run. */
export const withoutMedia = () => {
  const gone = [
    'VideoEncoder', 'VideoDecoder', 'AudioEncoder', 'AudioDecoder', 'VideoFrame', 'AudioData',
    'EncodedVideoChunk', 'EncodedAudioChunk', 'ImageDecoder', 'VideoColorSpace',
    'MediaStreamTrackProcessor', 'MediaStreamTrackGenerator',
    'RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel', 'RTCRtpSender', 'RTCRtpReceiver',
  ];
  for (const name of gone) delete globalThis[name];
};

/**
 * Waits until `look` answers something true; says `what` when it doesn't.
 * @template T
 * @param {string} what
 * @param {() => Promise<T> | T} look
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, look, patience = PATIENCE) {
  const end = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited in vain for ${what} (last: ${String(last?.stack ?? last)})`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function closing(browser, profile) {
  try {
    await browser.close();
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
