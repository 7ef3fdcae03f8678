// Requests written as bytes, the way a node or a tool would write them. Pure.
import { concat } from "./bytes.js";

// tags are the first bytes of the requests' bodies; those with a 3 are of the
// multi-transport extension.
export const tags = {
  register: 120, lookup: 122, names: 110, dump: 100, kill: 107, stop: 115,
  register3: 88, lookup3: 90, names3: 78, dump3: 68, kill3: 75, stop3: 83,
};

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
// not have are passed over. name, extra, tail and transport are bytes, transports a list
// of such, the others numbers.
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
    case "register3": {
      const transport = f.transport ?? none;
      const fixed = concat(u16(f.port), Uint8Array.of(f.type, transport.length), transport, u16(f.highest), u16(f.lowest));
      return packet(tag, fixed, u16(name.length), name, u16(extra.length), extra, tail);
    }
    case "lookup3": {
      const list = concat(...(f.transports ?? []).map((t) => concat(Uint8Array.of(t.length), t)));
      return packet(tag, Uint8Array.of(0, f.transports?.length ?? 0), u16(list.length), list, Uint8Array.of(name.length & 0xff), name, tail);
    }
    case "lookup":
    case "stop":
    case "stop3":
      return packet(tag, name, tail);
    default:
      return packet(tag, tail);
  }
}

// node is the request of an ordinary node, for the examples.
export function node(name, port, more = {}) {
  return build("register", { name: text(name), port, type: 77, protocol: 0, highest: 6, lowest: 5, ...more });
}

// node3 is the request of an ordinary node for one of its transports, lookup3 that of
// somebody who speaks some.
export function node3(name, transport, port, more = {}) {
  return build("register3", { name: text(name), transport: text(transport), port, type: 77, highest: 6, lowest: 5, ...more });
}

export function lookup3(name, ...transports) {
  return build("lookup3", { name: text(name), transports: transports.map(text) });
}
