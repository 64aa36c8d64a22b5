// Server-sent events, out of the text of a stream as it comes: what of the format the relay uses
// (PROTOCOL.md §5), and anything else left out as the format's own rules say.

/** The longest event, in characters: a packet of the relay's is far below that. */
const LONGEST = 4 * 1024 * 1024;

/** @typedef {{ id: string, name: string, data: string }} Event */

/** Puts events together. */
export class Events {
  constructor() {
    this._text = '';
    this._id = '';
    this._name = '';
    /** @type {string[]} */
    this._data = [];
  }

  /**
   * The events that are whole now.
   * @param {string} text  what came
   * @returns {Event[]}
   */
  push(text) {
    this._text += text;
    /** @type {Event[]} */
    const events = [];
    let at = 0;
    for (;;) {
      const end = this._text.indexOf('\n', at);
      if (end === -1) break;
      const event = this._line(this._text.slice(at, end).replace(/\r$/, ''));
      if (event) events.push(event);
      at = end + 1;
    }
    this._text = this._text.slice(at);
    if (this._text.length > LONGEST) throw new RangeError('an event without end');
    return events;
  }

  /**
   * @param {string} line
   * @returns {Event | null}
   */
  _line(line) {
    if (line === '') {
      const event = { id: this._id, name: this._name || 'message', data: this._data.join('\n') };
      const any = this._data.length > 0;
      this._id = '';
      this._name = '';
      this._data = [];
      return any ? event : null;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this._data.push(value);
    else if (field === 'event') this._name = value;
    else if (field === 'id') this._id = value;
    return null;
  }
}
