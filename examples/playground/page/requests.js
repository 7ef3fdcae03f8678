// Requests written as bytes, the way a node or a tool would write them. Pure.
import { concat } from "./bytes.js";

// tags are the first bytes of the requests' bodies.
export const tags = { register: 120, lookup: 122, names: 110, dump: 100, kill: 107, stop: 115 };

const encoder = new TextEncoder();

// text is the UTF-8 bytes of a string.
export function text(s) {
  return encoder.encode(s);
}

function u16(v) {
  return Uint8Array.of((v >> 8) & 0xff, v & 0xff);
}

// packet puts the length in front of a body.
export function packet(...parts) {
  const body = concat(...parts);
  return concat(u16(body.length), body);
}

// build writes a request. kind is a key of tags; the fields that a request does
// not have are passed over. name, extra and tail are bytes, the others numbers.
export function build(kind, f) {
  const none = new Uint8Array();
  const name = f.name ?? none;
  const extra = f.extra ?? none;
  const tail = f.tail ?? none;
  const tag = Uint8Array.of(tags[kind]);
  switch (kind) {
    case "register": {
      const fixed = concat(u16(f.port), Uint8Array.of(f.type, f.protocol), u16(f.highest), u16(f.lowest));
      return packet(tag, fixed, u16(name.length), name, u16(extra.length), extra, tail);
    }
    case "lookup":
    case "stop":
      return packet(tag, name, tail);
    default:
      return packet(tag, tail);
  }
}

// node is the request of an ordinary node, for the examples.
export function node(name, port, more = {}) {
  return build("register", { name: text(name), port, type: 77, protocol: 0, highest: 6, lowest: 5, ...more });
}
