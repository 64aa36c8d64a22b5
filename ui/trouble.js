// Errors of this page, on their way into the log of whoever runs it: which kind, and where in our
// own files. Never an error's message: it can hold what people wrote, and what they are called.

/** @typedef {import('./generated').Trouble} Trouble */

/** Reports of one page at most: one that fails at each frame says no more with each of them. */
const MOST = 20;

/** @type {Record<string, Trouble['kind']>} */
const KINDS = {
  Error: 'error',
  TypeError: 'type_error',
  RangeError: 'range_error',
  ReferenceError: 'reference_error',
  SyntaxError: 'syntax_error',
  NotSupportedError: 'not_supported',
  InvalidStateError: 'invalid_state',
  NotAllowedError: 'not_allowed',
  SecurityError: 'not_allowed',
  QuotaExceededError: 'quota',
  EncodingError: 'encoding',
  DataError: 'encoding',
  NetworkError: 'network',
};

/** @type {((trouble: Trouble) => void) | null} */
let tell = null;
/** What was told already: the same error again is no news. @type {Set<string>} */
const told = new Set();
/** Errors before there was anybody to tell. @type {Trouble[]} */
const waiting = [];

/**
 * What may be told of an error.
 * @param {unknown} error
 * @param {Trouble['seen']} seen
 * @param {string} base  where the page's files are, such as `https://192.0.2.7:3000/`
 * @param {{ file?: string, line?: number, column?: number }} [place]  where, if the error doesn't say
 * @returns {Trouble | null}  null if it isn't an error of one of our files
 */
export function troubleOf(error, seen, base, place = {}) {
  const named = error instanceof Error || (typeof DOMException === 'function' && error instanceof DOMException);
  const kind = (named && Object.prototype.hasOwnProperty.call(KINDS, error.name) && KINDS[error.name]) || 'other';
  const stack = named && typeof error.stack === 'string' ? error.stack : '';
  const found = placeIn(stack, base) ?? placeIn(`${place.file ?? ''}:${place.line ?? 0}:${place.column ?? 0}`, base);
  return found && { kind, seen, ...found };
}

/**
 * The first place of ours that a stack names. Only what looks like one of our files is taken from
 * it; the relay and the app take only files that there are.
 * @param {string} stack @param {string} base
 */
function placeIn(stack, base) {
  for (const line of stack.split('\n')) {
    const at = line.lastIndexOf(base);
    const place = at < 0 ? null : /^([a-z0-9/-]{1,61}\.js):(\d{1,5}):(\d{1,5})/.exec(line.slice(at + base.length));
    if (place) return { file: place[1], line: small(place[2]), column: small(place[3]) };
  }
  return null;
}

/** @param {string} digits */
const small = (digits) => Math.min(65_535, Number(digits));

/**
 * An error that was caught, and that nobody expects.
 * @param {unknown} error
 */
export function caught(error) {
  report(troubleOf(error, 'caught', base()));
}

/** Begins to listen. */
export function listen() {
  addEventListener('error', ({ error, filename, lineno, colno }) => {
    report(troubleOf(error, 'thrown', base(), { file: filename, line: lineno, column: colno }));
  });
  addEventListener('unhandledrejection', ({ reason }) => report(troubleOf(reason, 'rejected', base())));
}

/** Tells from now on, and what was seen before. @param {(trouble: Trouble) => void} on */
export function tellTo(on) {
  tell = on;
  waiting.splice(0).forEach(on);
}

/** Where this page's files are. */
function base() {
  return new URL('./', import.meta.url).href;
}

/** @param {Trouble | null} trouble */
function report(trouble) {
  if (!trouble || told.size >= MOST) return;
  const key = JSON.stringify(trouble);
  if (told.has(key)) return;
  told.add(key);
  if (tell) tell(trouble);
  else waiting.push(trouble);
}
