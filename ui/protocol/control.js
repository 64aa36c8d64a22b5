// Control packets from the relay, parsed at the edge: what comes out has the shape that the types
// say, unknown fields are gone, and what only newer versions know is `unknown` or `other`.

/** @typedef {import('../generated').LobbyMessage} LobbyMessage */
/** @typedef {import('../generated').RelayMessage} RelayMessage */
/** @typedef {import('../generated').RelayPacket} RelayPacket */

/** Text that isn't a packet. */
export class ControlError extends Error {
  /**
   * @param {'malformed' | 'unknown_message'} code
   * @param {[n: number, ack: number] | null} numbered  of a numbered message whose body can't be
   *   read: it counts as received, and the session goes on
   */
  constructor(code, numbered = null) {
    super(`a control packet is ${code}`);
    this.code = code;
    this.numbered = numbered;
  }
}

/**
 * Reads a value of JSON; throws `malformed` when it isn't what it should be.
 * @template T
 * @typedef {(value: unknown) => T} Read
 */

/** @returns {never} */
const malformed = () => {
  throw new ControlError('malformed');
};

/** @type {Read<string>} */
const text = (value) => (typeof value === 'string' ? value : malformed());

/** @type {Read<boolean>} */
const flag = (value) => (typeof value === 'boolean' ? value : malformed());

/** @type {(most: number) => Read<number>} */
const whole = (most) => (value) =>
  (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : malformed());

const u8 = whole(0xff);
const u16 = whole(0xffff);
const u32 = whole(0xffff_ffff);
const u64 = whole(Number.MAX_SAFE_INTEGER);

/** @type {(bytes: number) => Read<string>} */
const hex = (bytes) => (value) =>
  (typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value) ? value : malformed());

/**
 * One of the words; any other is `otherwise`, or malformed without it.
 * @template {string} const T
 * @param {readonly T[]} words
 * @param {T} [otherwise]
 * @returns {Read<T>}
 */
const word = (words, otherwise) => (value) =>
  words.find((one) => one === value) ?? (typeof value === 'string' ? otherwise : undefined) ?? malformed();

/**
 * @template T
 * @param {Read<T>} read
 * @returns {Read<T[]>}
 */
const list = (read) => (value) => (Array.isArray(value) ? value.map(read) : malformed());

/**
 * An object with these fields; one whose reader is `optional` may be missing.
 * @template {Record<string, Read<any>>} F
 * @param {F} fields
 * @returns {Read<{ [K in keyof F]: ReturnType<F[K]> }>}
 */
const object = (fields) => (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return malformed();
  /** @type {Record<string, unknown>} */
  const result = {};
  for (const [name, read] of Object.entries(fields)) {
    const field = read(/** @type {Record<string, unknown>} */ (value)[name]);
    if (field !== undefined) result[name] = field;
  }
  return /** @type {any} */ (result);
};

/**
 * @template T
 * @param {Read<T>} read
 * @returns {Read<T | undefined>}
 */
const optional = (read) => (value) => (value === undefined || value === null ? undefined : read(value));

/**
 * @template T
 * @param {Read<T>} read
 * @param {() => T} otherwise
 * @returns {Read<T>}
 */
const defaulted = (read, otherwise) => (value) => (value === undefined ? otherwise() : read(value));

/**
 * @template T
 * @param {Read<T>} read
 * @returns {Read<T | null>}
 */
const nullable = (read) => (value) => (value === undefined || value === null ? null : read(value));

/** @type {Read<string>} */
const digits = (value) => (typeof value === 'string' && /^\d{6}$/.test(value) ? value : malformed());
const size = object({ width: u16, height: u16 });
const role = word(['staff', 'bedside', 'family', 'guest']);
const code = word([
  'version', 'malformed', 'too_large', 'unknown_message', 'out_of_turn', 'rate_limited', 'busy', 'session_gone',
  'code_unknown', 'room_missing', 'room_full', 'too_many_rooms', 'not_joined', 'name_empty', 'name_too_long', 'chat_empty',
  'chat_too_long', 'track_missing', 'bad_tracks', 'forbidden', 'origin', 'timeout', 'replaced', 'shutting_down',
  'internal', 'other',
], 'other');
const track = object({
  id: u8,
  source: word(['camera', 'microphone', 'unknown'], 'unknown'),
  codec: word(['h264', 'vp8', 'jpeg', 'opus', 'unknown'], 'unknown'),
  layers: defaulted(list(size), () => []),
});
const carries = word(['pictures', 'sound', 'unknown'], 'unknown');
const member = object({
  id: u32,
  name: text,
  role,
  tracks: list(track),
  connection: word(['connected', 'reconnecting']),
  line: optional(carries),
  clock: optional(hex(8)),
});
const room = object({
  id: hex(8),
  name: text,
  kind: word(['bed', 'meeting']),
  members: u32,
  waiting: flag,
  since_ms: u64,
});
const chatFields = { seq: u64, from: u32, name: text, text, at_ms: u64 };

/** @type {Record<string, Read<object>>} */
const messages = {
  joined: object({ room, you: u32, members: list(member), chat: list(object(chatFields)) }),
  left: object({}),
  member_joined: object({ member }),
  member_changed: object({ member }),
  member_left: object({ member: u32, reason: word(['left', 'lost', 'removed', 'unknown'], 'unknown') }),
  chat: object(chatFields),
  send: object({ tracks: list(object({ track: u8, size })) }),
  key_frame: object({ track: u8 }),
  loss: object({ track: u8, percent: u8 }),
  speaker: object({ member: nullable(u32) }),
  code: object({ code: digits, valid_s: u32 }),
  line: object({ carries }),
  slots: object({ slots: list(object({ member: u32, sound: text, picture: text })) }),
  closing: object({}),
  error: object({ code, reply_to: optional(u64) }),
};

/** @type {Record<string, Read<object>>} */
const packets = {
  welcome: object({
    version: u8,
    session: hex(16),
    secret: hex(16),
    resumed: flag,
    received: u64,
    heartbeat_ms: u32,
    grace_ms: u32,
    max_packet: u32,
    compression: optional(word(['zstd1', 'unknown'], 'unknown')),
    webrtc: optional(flag),
  }),
  refused: object({ code }),
  ack: object({ ack: u64 }),
  pong: object({ id: u32 }),
};

const tagged = object({ type: text });
const numbers = object({ n: u64, ack: u64 });

/** @type {Read<RelayMessage>} */
const message = (value) => {
  const { type } = tagged(value);
  const read = own(messages, type);
  return /** @type {RelayMessage} */ (read ? { type, ...read(value) } : { type: 'unknown' });
};

/**
 * Reads a packet. Throws a `ControlError`.
 * @param {string} source
 * @returns {RelayPacket}
 */
export function parseRelay(source) {
  const value = json(source);
  const { type } = tagged(value);
  if (type === 'message') {
    const { n, ack } = numbers(value);
    try {
      return { type, n, ack, body: message(/** @type {{ body?: unknown }} */ (value).body) };
    } catch (error) {
      throw error instanceof ControlError ? new ControlError(error.code, [n, ack]) : error;
    }
  }
  const read = own(packets, type);
  if (!read) throw new ControlError('unknown_message');
  return /** @type {RelayPacket} */ ({ type, ...read(value) });
}

const rooms = object({ rooms: list(room), now_ms: u64 });

/**
 * Reads what the lobby says. Throws a `ControlError`.
 * @param {string} source
 * @returns {LobbyMessage}
 */
export function parseLobby(source) {
  const value = json(source);
  const { type } = tagged(value);
  return type === 'rooms' ? { type, ...rooms(value) } : { type: 'unknown' };
}

/** @param {string} source */
function json(source) {
  try {
    return /** @type {unknown} */ (JSON.parse(source));
  } catch {
    return malformed();
  }
}

/**
 * @template T
 * @param {Record<string, T>} of
 * @param {string} name
 * @returns {T | undefined}
 */
const own = (of, name) => (Object.prototype.hasOwnProperty.call(of, name) ? of[name] : undefined);
