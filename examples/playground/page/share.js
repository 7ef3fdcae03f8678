// A conversation as the fragment of a URL, and back. Pure: no DOM, no state.
//
//	1.relaxed.port=4369.l.1=00107803e8.1=4d00.r.x1.t60
//
// First the version of this form; then the settings that differ from `defaults`;
// then what happened, in order: `l` and `r` open a connection from a local or a
// remote peer (they are numbered from 1), `1=HEX` lets a segment arrive on
// connection 1, `x1` is its end, `t60` lets 60 seconds pass.
import { joinHex } from "./bytes.js";

// bounds of what is shared, and so of what the page lets grow.
export const bounds = { chars: 32000, events: 400, conns: 99, bytes: 4096, seconds: 99999 };

// defaults are the settings of a daemon that nobody changed. timeout is in
// seconds, 0 for none; now, when it starts, in Unix seconds. multi takes the requests of
// the multi-transport extension.
export const defaults = Object.freeze({
  relaxed: false, restarts: false, multi: false, port: 4369, timeout: 60, remember: 1000, now: 1700000000,
});

// ranges are the least and the greatest of the settings that are numbers.
export const ranges = { port: [1, 65535], timeout: [0, 86400], remember: [1, 1000], now: [0, 4294967295] };

const version = "1";

// encode writes a conversation, or gives null if it is beyond the bounds.
export function encode({ settings, events }) {
  const parts = [version];
  for (const [key, usual] of Object.entries(defaults)) {
    const value = settings[key];
    if (value !== usual) parts.push(value === true ? key : `${key}=${value}`);
  }
  for (const e of events) parts.push(encodeEvent(e));
  const text = parts.join(".");
  return text.length <= bounds.chars && events.length <= bounds.events ? text : null;
}

function encodeEvent(e) {
  switch (e.do) {
    case "open":
      return e.local ? "l" : "r";
    case "send":
      return `${e.conn}=${joinHex(e.bytes)}`;
    case "close":
      return `x${e.conn}`;
    default:
      return `t${e.seconds}`;
  }
}

// decode reads a fragment without its #. It never throws: what cannot be read
// gives {error}, a sentence; all else {settings, events, error: ""}.
export function decode(fragment) {
  if (fragment.length > bounds.chars) return { error: `it is longer than ${bounds.chars} characters` };
  const [first, ...parts] = fragment.split(".");
  if (first !== version) return { error: `it does not begin with “${version}.”, its version` };
  if (parts.length > bounds.events + Object.keys(defaults).length) return { error: `it has more than ${bounds.events} steps` };
  const settings = { ...defaults };
  const events = [];
  let conns = 0;
  for (const [i, part] of parts.entries()) {
    const event = decodeEvent(part);
    if (event?.do === "open") conns++;
    const good = event ? (event.conn ?? 0) <= conns && conns <= bounds.conns : events.length === 0 && decodeSetting(part, settings);
    if (!good) return { error: `its part ${i + 2}, “${clip(part)}”, cannot be read` };
    if (event) events.push(event);
  }
  if (events.length > bounds.events) return { error: `it has more than ${bounds.events} steps` };
  return { settings, events, error: "" };
}

function clip(text) {
  const plain = text.replace(/[^ -~]/g, "?");
  return plain.length > 16 ? `${plain.slice(0, 16)}…` : plain;
}

// decodeSetting changes settings, or answers false.
function decodeSetting(part, settings) {
  const [, key, digits] = part.match(/^([a-z]+)(?:=(0|[1-9]\d{0,9}))?$/) ?? [];
  if (!Object.hasOwn(defaults, key ?? "") || settings[key] !== defaults[key]) return false;
  if (digits === undefined) {
    settings[key] = true;
    return defaults[key] === false;
  }
  const [low, high] = ranges[key] ?? [1, 0];
  settings[key] = Number(digits);
  return low <= settings[key] && settings[key] <= high;
}

// decodeEvent gives null for what is no event.
function decodeEvent(part) {
  if (part === "l" || part === "r") return { do: "open", local: part === "l" };
  const sent = part.match(/^([1-9]\d?)=((?:[0-9a-f]{2})+)$/);
  if (sent && sent[2].length <= 2 * bounds.bytes) {
    const bytes = Uint8Array.from(sent[2].match(/../g), (h) => parseInt(h, 16));
    return { do: "send", conn: Number(sent[1]), bytes };
  }
  const other = part.match(/^(?:x([1-9]\d?)|t([1-9]\d{0,4}))$/);
  if (!other) return null;
  return other[1] ? { do: "close", conn: Number(other[1]) } : { do: "advance", seconds: Number(other[2]) };
}
