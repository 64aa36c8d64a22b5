// A PulseAudio of the test's own, without any device: what is said into it its microphone hears, and
// what programs play can be listened to. Nothing of that is written down.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { until } from './browsers.js';
import { command, folder } from './harness.js';

/** Samples that are kept of what is played: a third of a second. */
const KEPT = 16_384;

/**
 * @returns {Promise<{ env: Record<string, string>, tell: (...args: string[]) => string, say: (wav: string, sink?: string) => void, listen: (sink?: string) => () => number[] }>}
 *   the environment for programs that are to use it; a way to command it (`pactl`); a way to say
 *   something into its microphone, over and over; and a way to hear the last third of a second that was
 *   played
 */
export async function pulse(t) {
  const home = folder(t);
  const socket = join(home, 'socket');
  const modules = [
    `module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
    'module-null-sink sink_name=played rate=48000',
    'module-null-sink sink_name=nowhere rate=48000',
    'module-null-sink sink_name=said rate=48000 channels=1',
    'module-remap-source source_name=microphone master=said.monitor',
  ];
  command(t, '/usr/bin/pulseaudio', [
    '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disable-shm=yes', '--realtime=no', '--high-priority=no',
    ...modules.flatMap((module) => ['-L', module]),
  ], { XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: home, HOME: home });
  await until('PulseAudio', () => existsSync(socket));
  // Who lives in a folder of the test's own has no cookie yet, which a desktop's first program makes,
  // and without which the app's connection isn't taken.
  const cookie = join(home, 'cookie');
  writeFileSync(cookie, randomBytes(256), { mode: 0o600 });
  const env = { PULSE_SERVER: `unix:${socket}`, PULSE_COOKIE: cookie };
  const tell = (...args) => execFileSync('/usr/bin/pactl', args, { encoding: 'utf8', env: { ...process.env, ...env } });
  await until('its devices', () => tell('list', 'short', 'sources').includes('microphone'));
  tell('set-default-sink', 'played');
  tell('set-default-source', 'microphone');
  return {
    env,
    tell,
    say(wav, sink = 'said') {
      command(t, '/bin/sh', ['-c', 'while paplay --device="$1" "$0"; do :; done', wav, sink], env);
    },
    listen(sink = 'played') {
      const child = spawn('/usr/bin/parec', [
        `--device=${sink}.monitor`, '--raw', '--format=float32le', '--rate=48000', '--channels=1', '--latency-msec=50',
      ], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
      t.after(() => child.kill());
      let kept = Buffer.alloc(0);
      child.stdout.on('data', (bytes) => {
        const all = Buffer.concat([kept, bytes]);
        // From its beginning on the stream is whole samples, however it is cut into pieces.
        const whole = all.length - (all.length % 4);
        kept = all.subarray(Math.max(0, whole - 4 * KEPT));
      });
      return () => Array.from({ length: Math.floor(kept.length / 4) }, (_, n) => kept.readFloatLE(4 * n));
    },
  };
}
