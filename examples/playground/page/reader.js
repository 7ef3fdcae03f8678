// Bytes cut into fields, for fields.js and fields3.js, and what those share. Pure: no
// DOM, no state.
import { chars, show, utf8 } from "./bytes.js";

// limits of the protocol, in bytes where nothing else is said.
export const limits = {
  body: 3057, read: 3059, name: 1020, nameChars: 255, lookupChars: 254, extra: 1020, transport: 127, transports: 32,
};

// labels are what the fields are called.
export const labels = {
  length: "length", tag: "tag", port: "port", type: "type", protocol: "protocol", highest: "highest",
  lowest: "lowest", nlen: "name length", name: "name", elen: "extra length", extra: "extra", tail: "tail",
  nul: "terminator", excess: "excess", unknown: "unknown", held: "data", result: "result",
  creation: "creation", epmd: "epmd’s port", words: "text", number: "number",
  tlen: "transport length", transport: "transport", zero: "nothing", count: "transports", mlen: "list length", follows: "more",
};

// Reader cuts bytes into fields. `limit` is where the message ends by its own
// word; fewer bytes may be there.
export class Reader {
  constructor(bytes, limit = bytes.length) {
    this.bytes = bytes;
    this.limit = limit;
    this.end = Math.min(limit, bytes.length);
    this.at = 0;
    this.fields = [];
    this.problems = [];
  }

  // take makes the next n bytes a field, or what there is of them. describe gets
  // the bytes if all are there, and gives [value, note, level]. The result is the
  // field, or null if no byte of it is there.
  take(id, n, describe) {
    const from = this.at;
    const to = Math.min(from + n, this.end);
    if (to <= from) return null;
    this.at = to;
    const field = { id, from, to, value: "", note: "", level: "" };
    if (to - from < n) {
      field.note = `${to - from} of ${n} bytes`;
      field.level = to < this.limit ? "wait" : "close";
    }
    if (to - from === n || whole.has(id)) {
      const [value, note, level] = describe(this.bytes.subarray(from, to));
      field.value = String(value);
      field.note = field.note ? `${note}; ${field.note}` : note;
      field.level ||= level ?? "";
    }
    this.fields.push(field);
    return field;
  }

  // number takes a big-endian number and gives its value, or null.
  number(id, n, describe) {
    const from = this.at;
    const field = this.take(id, n, (b) => {
      const v = bigEndian(b);
      return [v, ...[describe(v)].flat()];
    });
    return field && field.to - from === n ? bigEndian(this.bytes.subarray(from, from + n)) : null;
  }

  // rest makes a field of everything up to `to`.
  rest(id, to, note, level = "ignored") {
    return this.take(id, Math.min(to, this.end) - this.at, (b) => [`${b.length} ${plural(b.length, "byte")}`, note, level]);
  }

  // problem notes what is wrong, and whose fault it is. A refusal comes after all
  // that closes: a daemon refuses only what it could read.
  problem(level, text, field) {
    const refusal = level === "close" ? this.problems.findIndex((p) => p.level === "refuse") : -1;
    this.problems.splice(refusal < 0 ? this.problems.length : refusal, 0, { level, text });
    if (field) field.level = level;
  }

  message(name) {
    return { message: name, fields: this.fields, problems: this.problems };
  }
}

// whole are the fields of which a part says something too.
const whole = new Set(["name", "extra", "transport"]);

function bigEndian(bytes) {
  return bytes.reduce((v, b) => v * 256 + b, 0);
}

// plural writes a word after a number.
export function plural(n, word) {
  return n === 1 ? word : `${word}s`;
}

// port, type and versions take the fields that registrations and the answers to look-ups
// share.
export function port(r) {
  r.number("port", 2, () => "the TCP port on which the node listens");
}

export function type(r) {
  r.number("type", 1, (v) => ({ 77: "'M': a node, hidden or not", 72: "'H': a hidden node", 104: "'h': a C node", 110: "'n': a Java node" })[v] ?? "any value is taken");
}

export function versions(r) {
  r.number("highest", 2, (v) => (v >= 6 ? "from version 6 on, creations have 32 bits" : "below version 6, creations are 1 to 3"));
  r.number("lowest", 2, () => "the oldest version that the node speaks");
}

// describeName is the description of a name.
export function describeName(b) {
  const n = chars(b);
  return [show(b), `${n} ${plural(n, "character")}`];
}

function checkName(r, field) {
  const name = r.bytes.subarray(field.from, field.to);
  if (name.includes(0)) r.problem("close", "The name holds a NUL byte.", field);
  else if (name.length > limits.name) r.problem("refuse", `The name is longer than ${limits.name} bytes: refused.`, field);
  else if (field.level === "" && utf8(name) === null) r.problem("refuse", "The name is not valid UTF-8: refused.", field);
  else if (chars(name) > limits.nameChars) r.problem("refuse", `The name is longer than ${limits.nameChars} characters: refused.`, field);
}

// registrant takes the end of a registration, name, extra field and tail, in a body of n
// bytes of which `fixed` are none of these.
export function registrant(r, n, fixed) {
  const nlen = r.number("nlen", 2, (v) => `${v} ${plural(v, "byte")} of name`);
  if (nlen === null) return;
  if (nlen + fixed > n) r.problem("close", "The name’s length runs past the end of the packet.", r.fields.at(-1));
  const name = r.take("name", nlen, describeName);
  if (name) checkName(r, name);
  const elen = r.number("elen", 2, (v) => `${v} ${plural(v, "byte")} of extra`);
  if (elen === null) return;
  if (nlen + elen + fixed > n) r.problem("close", "The extra field’s length runs past the end of the packet.", r.fields.at(-1));
  const extra = r.take("extra", elen, (b) => [`${b.length} ${plural(b.length, "byte")}`, "kept, and told to whoever looks the node up"]);
  if (extra && elen > limits.extra) r.problem("refuse", `The extra field is longer than ${limits.extra} bytes: refused.`, extra);
  r.rest("tail", r.end, "inside the packet, behind the extra field: ignored");
}

// stopped takes the name of a stop, which ends at the first NUL.
export function stopped(r) {
  const nul = r.bytes.subarray(r.at, r.end).indexOf(0);
  r.take("name", nul < 0 ? r.end - r.at : nul, describeName);
  r.rest("tail", r.end, "the name ends at the first NUL: ignored");
}

// granted takes the answer to a registration, behind its tag.
export function granted(r, extended) {
  const result = r.number("result", 1, (v) => (v === 0 ? "registered" : ["refused", "refuse"]));
  r.number("creation", extended ? 4 : 2, () => (result === 0 ? "tells this life of the node from its others" : ["means nothing in a refusal", "ignored"]));
}

// told takes the name and the extra field at the end of the answer to a look-up.
export function told(r) {
  r.take("name", r.number("nlen", 2, (v) => `${v} ${plural(v, "byte")} of name`) ?? 0, describeName);
  const elen = r.number("elen", 2, (v) => `${v} ${plural(v, "byte")} of extra`) ?? 0;
  r.take("extra", elen, (b) => [`${b.length} ${plural(b.length, "byte")}`, "as the node registered it"]);
}

// literal takes text that every line has.
export function literal(r, n) {
  r.take("words", n, (b) => [show(b), ""]);
}

// port16 is a port in digits, as a part of a regular expression.
export const port16 = "(?:0|[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";
