// What a platform (browser or app) does for the page. The views build on this alone.
import type { Carries, Codec, Trouble, RelayMessage, RoomInfo, RoomChoice, RoomId, RoomKind, Role, Code, Size, Step, Why } from '../generated';
import type { Figures } from '../call/line-test.js';
export type MemberId = number;
/**
 * `silent`: announced, and doesn't answer; `asked`: it isn't known yet; `away`: not to be reached;
 * `changed`: where it was, another one answers. `seen_ms`: when one that is remembered was there last.
 */
export interface Host {
  name: string; url: string; fingerprint: string; ward: string; address: string; remembered: boolean;
  state: 'here' | 'silent' | 'asked' | 'away' | 'changed'; seen_ms?: number;
}
/** `addresses`: this device's own. */
export interface HostsAround { hosts: Host[]; search: 'looking' | 'no_network' | 'failed'; addresses: string[] }
/** What a link or a QR code leads to; `other`: to no host. */
export type OpenedLink = { kind: 'host'; url: string; address: string; fingerprint?: string; known: boolean; name?: string; invitation?: { room: RoomId; kind: RoomKind } } | { kind: 'other' };
export type HostProblem = 'unreachable' | 'pin_mismatch' | 'version' | 'bad_address' | 'state';
export interface HostStatus {
  state: 'off' | 'starting' | 'on' | 'failed';
  url?: string; fingerprint?: string; ward?: string; addresses?: string[];
  qr?: { size: number; d: string };      // QR code of url, as an SVG path's d attribute
  /** `line`: how well, once it is known; `round_trip_ms`: there and back. */
  connected?: {
    id: number; name: string; role: Role; room: string; state: 'connected'|'reconnecting';
    line?: 'good' | 'weak' | 'poor'; round_trip_ms?: number;
  }[];
  /** What hosting depends on, as measured. `mains`: there is no battery. `visited`: somebody came from another device. `unheard`: others don't find it by themselves. */
  conditions?: {
    power: 'mains' | 'plugged' | 'battery' | 'unknown';
    networks: { interface: string; address: string; kind: 'wifi' | 'cable' | 'other' }[];
    awake: 'off' | 'kept' | 'refused';
    visited: boolean;
    unheard?: boolean;
  };
  /** Of this device: percent, and bits a second of pictures. */
  load?: { processor?: number; memory?: number; battery?: number; bits_in: number; bits_out: number; strain: ('processor' | 'memory' | 'battery')[] };
  at_boot?: boolean;                     // the app starts with the system; absent where it can't
  problem?: 'port_in_use' | 'data_not_writable' | 'disk_full' | 'no_network' | 'other'; detail?: string;
  port?: number; holder?: string; free_port?: number;  // of a port in use: which, by whom if that is known, and another
}
/** `ended`: the host said that it ends; without it a lost list was lost without a word. */
export interface LobbyState { state: 'connecting' | 'live' | 'lost' | 'none'; rooms: RoomInfo[]; now_ms: number; problem?: HostProblem; ended?: boolean }
export type CameraState = 'off' | 'starting' | 'on' | 'denied' | 'missing' | 'busy' | 'lost' | 'insecure' | 'failed';
/** `muted`: open, and nothing that it hears leaves this device. */
export type MicState = 'off' | 'starting' | 'on' | 'muted' | 'denied' | 'missing' | 'busy' | 'lost' | 'insecure' | 'failed';
/**
 * `blocked`: nothing is heard until `hear` is called from a touch; `interrupted`: the system took
 * the sound away (a phone call) and gives it back by itself, or after a touch; `missing`: there is
 * nothing to hear with (the app only), and it is looked for again by itself, or with `hear`.
 */
export type SoundState = 'blocked' | 'on' | 'interrupted' | 'missing';
/** In −dBov: 0 is the loudest, −127 is silence. */
export type Level = number;
/** A soft sound of this device's own: somebody came, somebody left, somebody begins to wait. */
export type Signal = 'join' | 'leave' | 'knock';
export type CallEvent =
  | { type: 'microphone'; state: MicState }
  /** A few times a second, for the meters; not replayed. `talkingMuted`: the person speaks, and is muted. */
  | { type: 'levels'; own: Level; talkingMuted: boolean; members: Readonly<Record<MemberId, Level>> }
  | { type: 'sound'; state: SoundState }
  /** Sound comes from this microphone from now on, muted or not, or goes to this speaker; `name` is empty while that isn't told. */
  | { type: 'device'; device: 'microphone' | 'speaker'; name: string }
  | { type: 'relay'; message: RelayMessage }
  /** Over what this call travels from now on: `control` is all that is said, `step` pictures and sound, `why` they don't go by UDP. */
  | { type: 'way'; control: Control; step: Exclude<Step, 'unknown'>; why: Exclude<Why, 'unknown'> }
  /** What the line carries of what is sent; where it is sound, the own picture isn't sent until it passes again. */
  | { type: 'uplink'; carries: Carries }
  | { type: 'connection'; state: 'connecting' | 'connected' | 'reconnecting' | 'ended'; code?: Code | 'unreachable' | 'pin_mismatch' }
  | { type: 'camera'; state: CameraState }
  | { type: 'picture'; member: MemberId | 'self'; state: 'moving' | 'stalled' | 'undecodable'; width: number; height: number };
export type Control = 'websocket' | 'https' | 'webrtc';
/** How a call's line fares now. `roundTrip`: there and back, in ms; `down` and `up`: kbit/s; null: it isn't known yet. The codecs are those in use. */
export interface LineNow { roundTrip: number | null; down: number | null; up: number | null; gets: Codec[]; sends: Codec[] }
export interface JoinOptions { room: RoomChoice; name: string; role: Role; camera: boolean; microphone: boolean }
/** Six digits that lead into the room of a call, and for how many seconds. */
export interface RoomCode { code: string; valid_s: number }
/** Where others reach the relay in use (an origin), and the ward's fingerprint. */
export interface Reach { url: string; fingerprint: string; ward: string }
/** Where six digits lead; `wait_s`: seconds until others are looked at again. */
export type Redeemed = { ok: true; room: RoomId; kind: RoomKind }
  | { ok: false; problem: 'code_unknown' | 'rate_limited' | 'busy' | 'unreachable' | 'other'; wait_s?: number };
export interface CallHandle {
  subscribe(on: (event: CallEvent) => void): () => void;      // replays what already happened since join
  chat(text: string): void;
  code(): Promise<RoomCode>;                                  // rejects with a `Code`
  measure?(on: (line: LineNow) => void): () => void;          // once a second until it is ended; nothing is measured else
  camera(on: boolean): Promise<void>;
  // Where a platform has no sound yet it hasn't these three, nor those of `Devices`, and the page shows nothing of sound.
  /** `false` mutes, at once: no sample that was captured while muted leaves this device. */
  microphone?(on: boolean): Promise<void>;
  hear?(): Promise<void>;                                     // from a touch: starts sound that the browser holds back
  volume?(member: MemberId, volume: number): void;            // 0 to 1, here alone
  /** Paints the member's pictures into the canvas until the returned function is called. Tells the relay what is shown at which size (device pixels); call again/`resize` when the tile's size changes. The canvas's width/height follow the picture; CSS object-fit does the rest. */
  show(member: MemberId | 'self', canvas: HTMLCanvasElement, size: Size): { resize(size: Size): void; stop(): void };
  leave(): Promise<void>;
}
/** `name` is what the system calls it; empty while the browser doesn't tell. */
export interface Camera { id: string; name: string }
/** A microphone or a speaker. */
export type SoundDevice = Camera;
/**
 * The devices there are, and which of each is taken: the one chosen here before, if it is there.
 * `speakers` is empty where the system alone decides where sound comes out.
 */
export interface Cameras {
  cameras: Camera[]; chosen: string | null;
  microphones?: SoundDevice[]; microphone?: string | null;
  speakers?: SoundDevice[]; speaker?: string | null;
  processes?: boolean;                                        // whether `process` is on, as it is unless somebody switched it off
}
/** What a check of the sound tells: how loud the microphone is, ten times a second. */
export type SoundCheckEvent = { type: 'microphone'; state: MicState } | { type: 'level'; level: Level }
  | { type: 'sample'; state: 'none' | 'recording' | 'playing' };
/** The own microphone before a call, heard by oneself alone; nothing is kept after `stop`. */
export interface SoundCheck {
  sample(): void;                                             // a few seconds are taken up, then played once
  again(): void;                                              // tries the microphone again, now
  stop(): void;                                               // the microphone is given back
}
export type PreviewEvent = { type: 'camera'; state: CameraState } | { type: 'picture'; width: number; height: number };
/** The own picture, seen by oneself alone. */
export interface Preview {
  show(canvas: HTMLCanvasElement, size: Size): { resize(size: Size): void; stop(): void };
  again(): void;                                              // tries the camera again, now
  stop(): void;                                               // the camera is given back
}
export interface Devices {
  watch(on: (cameras: Cameras) => void): () => void;
  choose(id: string): void;                                   // remembered; a preview and a call that go on change to it
  preview(on: (event: PreviewEvent) => void): Preview;        // opens the camera; the system may ask the person
  chooseMicrophone?(id: string): void;                        // as `choose`
  chooseSpeaker?(id: string): void;
  listen?(on: (event: SoundCheckEvent) => void): SoundCheck;  // opens the microphone; the system may ask the person
  process?(on: boolean): void;                                // remembered: echo cancelling, noise suppression, gain; off for a headset
  tone?(): void;                                              // from a touch: a short tone from the chosen speaker
  signal?(which: Signal): void;                               // from the chosen speaker at once, or where sound is held back not at all
}
/** `figures` is there after three seconds at most, or fails with a `LineTestError`. */
export interface LineTest { figures: Promise<Figures>; stop(): void }
export interface Platform {
  kind: 'browser' | 'tauri';
  language(): string;
  lobby(on: (lobby: LobbyState) => void): () => void;         // of the relay in use
  join(options: JoinOptions): CallHandle;                     // never throws; failures arrive as `connection: ended` with a code
  /** Before joining: insecure context, no camera… `asks`: opening it makes the browser ask the person. */
  capability(): Promise<{ camera: CameraState; microphone?: MicState; asks?: boolean }>;
  devices: Devices;
  // a browser only; the app knows the host that it uses, and chooses a conversation from the list:
  reach?(): Promise<Reach>;                                   // rejects where the relay doesn't answer
  redeem?(code: string): Promise<Redeemed>;
  testLine?(): LineTest;                                      // of the line to the relay, begun at once; where the page itself reaches it
  trouble(trouble: Trouble): void;                            // an error in the page, for the log; never throws
  // the app only:
  hosts?(on: (around: HostsAround) => void): () => void;
  links?(on: (opened: OpenedLink) => void): () => void;       // that the system opened the app with, each told once
  scan?(on: (opened: OpenedLink) => void): () => void;        // QR codes in the preview's picture, until it is ended
  forgetHost?(fingerprint: string): Promise<void>;
  useHost?(choice: { url: string; fingerprint?: string }): Promise<{ ok: true; ward: string; fingerprint: string; first_use: boolean } | { ok: false; problem: HostProblem }>;
  host?: {
    start(port?: number): Promise<void>;                        // on the usual port, or from now on on this one
    stop(): Promise<void>;
    rename(name: string): Promise<Code | null>;                 // what is wrong with the name
    atBoot(on: boolean): Promise<void>;
    watch(on: (status: HostStatus) => void): () => void;
  };
  /** The app's window and tray, on a desktop. */
  window?: {
    watch(on: (event: 'closing' | 'quitting' | 'hidden') => void): void;
    hide(): Promise<void>;
    quit(): Promise<void>;
    trayWords(words: { open: string; quit: string }): Promise<void>;
  };
}
