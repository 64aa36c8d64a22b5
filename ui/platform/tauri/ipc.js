// The way to Rust: commands, and channels on which Rust goes on talking.

/**
 * @typedef {{ onmessage: (message: any) => void }} Channel
 * @typedef {{ core: { invoke(command: string, args?: object): Promise<any>, Channel: new () => Channel } }} Tauri
 *
 * What tauri-plugin-websocket tells. An error arrives as its text.
 * @typedef {{ type: 'Text', data: string } | { type: 'Binary', data: number[] }
 *   | { type: 'Ping' | 'Pong', data: number[] } | { type: 'Close', data: { code: number, reason: string } | null } | string | null} SocketMessage
 * @typedef {{ ping(): Promise<void>, close(): Promise<void> }} Socket
 */

/** @returns {Tauri} */
function tauri() {
  return /** @type {any} */ (window).__TAURI__;
}

/**
 * Calls a command. Fails with a code.
 * @param {string} command
 * @param {object} [args]
 * @returns {Promise<any>}
 */
export function invoke(command, args) {
  return tauri().core.invoke(command, args);
}

/**
 * Something to hand to a command, that calls `on` with each message in order.
 * @param {(message: any) => void} on
 */
export function channel(on) {
  const made = new (tauri().core.Channel)();
  made.onmessage = on;
  return made;
}

/**
 * Opens a WebSocket by tauri-plugin-websocket. The plugin's commands are called directly: its own
 * class takes listeners only after the connection stands, and the first message is gone by then.
 * @param {string} url
 * @param {(message: SocketMessage) => void} on
 * @returns {Promise<Socket>}
 */
export async function connect(url, on) {
  const id = await invoke('plugin:websocket|connect', { url, onMessage: channel(on) });
  /** @param {object} message */
  const send = (message) => invoke('plugin:websocket|send', { id, message });
  return {
    ping: () => send({ type: 'Ping', data: [] }),
    close: () => send({ type: 'Close', data: { code: 1000, reason: '' } }),
  };
}
