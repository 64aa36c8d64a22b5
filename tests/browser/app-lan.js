// A small network of its own for a test: network namespaces on a bridge, which is in a namespace
// too, so that the machine's own network sees none of it. Needs root.
import { execFileSync, fork, spawn } from 'node:child_process';
import { readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The namespace of the bridge. */
const HUB = 'hub';
/** How a test's process ends, in order or not. */
const ENDS = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'];
const AGENT = fileURLToPath(new URL('app-agent.js', import.meta.url));

/**
 * Why namespaces can't be made here; empty if they can. Leaving a test out has to be allowed: one
 * that isn't run shows nothing.
 */
export function whyNot() {
  const why = reason();
  if (why && process.env.VISITA_ALLOW_SKIP !== '1') throw new Error(`${why}; VISITA_ALLOW_SKIP=1 leaves these tests out`);
  return why;
}

function reason() {
  if (process.platform !== 'linux') return 'network namespaces are a matter of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root, or scripts/test, which makes a user namespace';
  return '';
}

export class Lan {
  /** @param {string[]} names  of the machines; they get 198.18.0.10, .11, … */
  constructor(names) {
    this._prefix = `visita-${process.pid}`;
    this._hub = `${this._prefix}-${HUB}`;
    /** @type {string[]} */
    this._made = [];
    /** @type {Map<string, Machine>} */
    this._machines = new Map([[HUB, new Machine(this._hub, '')]]);
    // Also when the test's process ends in a way that skips its own clean-up.
    this._last = (signal) => {
      this.remove();
      if (typeof signal === 'string') process.exit(1);
    };
    for (const end of ENDS) process.once(end, this._last);
    // The test runner that is killed tells nobody.
    const parent = process.ppid;
    this._orphaned = setInterval(() => process.ppid === parent || this._last('orphaned'), 1000).unref();
    try {
      this._namespace(this._hub);
      ip('-n', this._hub, 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
      ip('-n', this._hub, 'link', 'set', 'br0', 'up');
      names.forEach((name, index) => this._add(name, `198.18.0.${10 + index}`));
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Where what belongs to no machine can run, to end with the network. */
  get hub() {
    return this.machine(HUB);
  }

  /** @returns {Machine} */
  machine(name) {
    return this._machines.get(name);
  }

  _namespace(namespace) {
    ip('netns', 'add', namespace);
    this._made.push(namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }

  _add(name, address) {
    const namespace = `${this._prefix}-${name}`;
    this._namespace(namespace);
    ip('-n', this._hub, 'link', 'add', 'name', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('-n', this._hub, 'link', 'set', `to-${name}`, 'master', 'br0', 'up');
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', namespace, 'route', 'add', 'default', 'via', '198.18.0.1');
    this._machines.set(name, new Machine(namespace, address));
  }

  /** Ends everything that runs on the machines, and takes the network away. */
  remove() {
    for (const end of ENDS) process.removeListener(end, this._last);
    clearInterval(this._orphaned);
    for (const machine of this._machines.values()) machine.killAll();
    for (const namespace of this._made.splice(0)) {
      try {
        ip('netns', 'del', namespace);
      } catch (error) {
        console.error(String(error));
      }
    }
  }
}

class Machine {
  constructor(namespace, address) {
    this.namespace = namespace;
    this.address = address;
    this._requests = new Map();
    this._count = 0;
  }

  /** Starts a program on this machine, in a process group of its own. */
  spawn(program, args, options = {}) {
    return spawn('ip', ['netns', 'exec', this.namespace, program, ...args], { stdio: 'inherit', ...options });
  }

  /**
   * A script that stands for a program and starts it on this machine.
   * @param {string} program
   * @param {string} folder  where to put the script
   */
  standIn(program, folder) {
    const path = join(folder, `${this.namespace}-${basename(program)}`);
    writeFileSync(path, `#!/bin/sh\nexec ip netns exec ${this.namespace} ${program} "$@"\n`, { mode: 0o755 });
    return path;
  }

  /** An HTTP request from this machine. @type {import('./webdriver.js').Request} */
  request = (url, options) => {
    if (!this._agent) this._startAgent();
    const id = ++this._count;
    return new Promise((resolve, reject) => {
      this._requests.set(id, { resolve, reject });
      this._agent.send({ id, url, options });
    });
  };

  _startAgent() {
    this._agent = fork(AGENT, [], { execPath: 'ip', execArgv: ['netns', 'exec', this.namespace, process.execPath] });
    this._agent.on('message', ({ id, answer, error }) => {
      const { resolve, reject } = this._requests.get(id);
      this._requests.delete(id);
      if (error) reject(new Error(error));
      else resolve(answer);
    });
    this._agent.on('exit', () => {
      for (const { reject } of this._requests.values()) reject(new Error(`the agent in ${this.namespace} is gone`));
      this._requests.clear();
    });
  }

  /** The processes that run on this machine, by program. */
  processes() {
    const pids = ip('netns', 'pids', this.namespace).split('\n').filter(Boolean).map(Number);
    return pids.flatMap((pid) => {
      try {
        return [{ pid, program: readlinkSync(`/proc/${pid}/exe`) }];
      } catch {
        return []; // It ended meanwhile.
      }
    });
  }

  killAll() {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
  }
}

function ip(...args) {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
