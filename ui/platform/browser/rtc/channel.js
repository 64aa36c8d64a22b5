// A session's control over the lane's own channel, with a WebSocket's face.

/** How a WebSocket is closed that goes away without a word. */
const ABNORMAL = 1006;
/** How a session is ended in order. */
const NORMAL = 1000;

export class ChannelSocket {
  /**
   * @param {RTCDataChannel} channel  that is open
   * @param {(body: string) => void} farewell  tells the relay by a request that the session is over: what is
   *   said in a channel gets nowhere any more when the page goes away
   */
  constructor(channel, farewell) {
    this._channel = channel;
    this._farewell = farewell;
    /** @type {number} */
    this.readyState = WebSocket.OPEN;
    /** Little is sent here, and nothing of it can be overtaken. */
    this.bufferedAmount = 0;
    /** It is open from the beginning. @type {(() => void) | null} */
    this.onopen = null;
    /** @type {((event: { data: unknown }) => void) | null} */
    this.onmessage = null;
    /** @type {((event: { code: number }) => void) | null} */
    this.onclose = null;
    channel.onmessage = ({ data }) => this.onmessage?.({ data });
    channel.onclose = () => {
      if (this.readyState !== WebSocket.OPEN) return;
      this.readyState = WebSocket.CLOSED;
      this.onclose?.({ code: ABNORMAL });
    };
  }

  /** @param {string | ArrayBufferView} packet */
  send(packet) {
    if (typeof packet !== 'string') throw new TypeError('frames go by the lane itself');
    if (this._channel.readyState === 'open') this._channel.send(packet);
  }

  /**
   * @param {number} code
   * @param {string} [proof]  of the session, where it ends in order
   */
  close(code, proof) {
    if (this.readyState !== WebSocket.OPEN) return;
    this.readyState = WebSocket.CLOSED;
    if (code === NORMAL && proof) this._farewell(proof);
    this._channel.close();
  }
}
