// The bytes of requests and replies as named fields. Pure: no DOM, no state.
//
// A field is {id, from, to, value, note, level}: bytes from (inclusive) to `to`
// (exclusive), what they say, what that means, and how it bears on the outcome:
// "close" (the connection is closed unanswered), "refuse" (answered with result
// 1), "wait" (more bytes must come), "ignored", or "" when all is well. A decoded
// message is {message, fields, problems}: fields cover every byte once, in order;
// problems are {level, text}, the one that decides first.
import { chars, latin1, show, utf8 } from "./bytes.js";
import { tags } from "./requests.js";

// limits of the protocol, in bytes where nothing else is said.
export const limits = { body: 3057, read: 3059, name: 1020, nameChars: 255, lookupChars: 254, extra: 1020 };

// labels are what the fields are called.
export const labels = {
  length: "length", tag: "tag", port: "port", type: "type", protocol: "protocol", highest: "highest",
  lowest: "lowest", nlen: "name length", name: "name", elen: "extra length", extra: "extra", tail: "tail",
  nul: "terminator", excess: "excess", unknown: "unknown", held: "data", result: "result",
  creation: "creation", epmd: "epmd’s port", words: "text", number: "number",
};

const messages = {
  [tags.register]: ["ALIVE2_REQ", "register a node"],
  [tags.lookup]: ["PORT_PLEASE2_REQ", "look up a node"],
  [tags.names]: ["NAMES_REQ", "list the registered nodes"],
  [tags.dump]: ["DUMP_REQ", "list nodes and remembered names"],
  [tags.kill]: ["KILL_REQ", "end the daemon"],
  [tags.stop]: ["STOP_REQ", "unregister a node by force"],
};

// messageName names the request with a tag, or is "".
export function messageName(tag) {
  return messages[tag]?.[0] ?? "";
}

// Reader cuts bytes into fields. `limit` is where the message ends by its own
// word; fewer bytes may be there.
class Reader {
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
    if (to - from === n || id === "name" || id === "extra") {
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

function bigEndian(bytes) {
  return bytes.reduce((v, b) => v * 256 + b, 0);
}

function plural(n, word) {
  return n === 1 ? word : `${word}s`;
}

// decodeRequest reads what a client sends on a fresh connection. ends are the
// offsets at which its segments end: what else has come when the length becomes
// known decides what becomes of bytes behind the packet.
export function decodeRequest(bytes, ends = [bytes.length]) {
  const r = new Reader(bytes, Math.max(bytes.length, 2));
  const n = r.number("length", 2, (v) => `${v} ${plural(v, "byte")} follow${v === 1 ? "s" : ""}`);
  if (n === null) {
    if (bytes.length > 0) r.problem("wait", "One byte more must come before the length is known.");
    return r.message("");
  }
  if (n < 1 || n > limits.body) {
    r.problem("close", `A request has 1 to ${limits.body} bytes: closed as soon as the length is there.`, r.fields[0]);
    r.rest("unknown", bytes.length, "never looked at");
    return r.message("");
  }
  const packet = n + 2;
  const first = Math.min(ends.find((e) => e >= 2) ?? bytes.length, limits.read);
  if (first > packet) r.problem("close", "More bytes than the packet came in the read that made its length known.");
  if (bytes.length < packet) {
    const k = packet - bytes.length;
    r.problem("wait", `${k} ${plural(k, "byte")} more must come.`);
  }
  r.limit = packet;
  r.end = Math.min(packet, bytes.length);
  const tag = r.number("tag", 1, (v) => describeTag(v));
  if (tag !== null) body(r, tag, n);
  r.end = r.limit = bytes.length;
  r.rest("excess", bytes.length, ...excess(first > packet, tag));
  return r.message(messageName(tag));
}

function describeTag(v) {
  const known = messages[v];
  return known ? [`${known[0]}: ${known[1]}`] : ["no request has this tag", "close"];
}

function excess(sameRead, tag) {
  if (sameRead) return ["behind the packet, in the same read: closed unanswered", "close"];
  if (tag === tags.register) return ["behind the packet: read later, and ends the registration", "close"];
  return ["behind the packet: never read", "ignored"];
}

function body(r, tag, n) {
  switch (tag) {
    case tags.register:
      return register(r, n);
    case tags.lookup:
      return lookup(r);
    case tags.stop:
      return stop(r);
    case tags.names:
    case tags.dump:
    case tags.kill:
      return r.rest("tail", r.end, "behind the tag: ignored");
  }
  r.problem("close", "No request has this tag.", r.fields.at(-1));
  return r.rest("unknown", r.end, "never looked at");
}

function register(r, n) {
  if (n <= 13) r.problem("close", "An ALIVE2_REQ has more than 13 bytes.", r.fields[0]);
  nodeHead(r);
  const nlen = r.number("nlen", 2, (v) => `${v} ${plural(v, "byte")} of name`);
  if (nlen === null) return;
  if (nlen + 13 > n) r.problem("close", "The name’s length runs past the end of the packet.", r.fields.at(-1));
  const name = r.take("name", nlen, describeName);
  if (name) checkName(r, name);
  const elen = r.number("elen", 2, (v) => `${v} ${plural(v, "byte")} of extra`);
  if (elen === null) return;
  if (nlen + elen + 13 > n) r.problem("close", "The extra field’s length runs past the end of the packet.", r.fields.at(-1));
  const extra = r.take("extra", elen, (b) => [`${b.length} ${plural(b.length, "byte")}`, "kept, and told to whoever looks the node up"]);
  if (extra && elen > limits.extra) r.problem("refuse", `The extra field is longer than ${limits.extra} bytes: refused.`, extra);
  r.rest("tail", r.end, "inside the packet, behind the extra field: ignored");
}

// nodeHead takes the fields that a registration and the answer to a look-up share.
function nodeHead(r) {
  r.number("port", 2, () => "the TCP port on which the node listens");
  r.number("type", 1, (v) => ({ 77: "'M': a node, hidden or not", 72: "'H': a C node" })[v] ?? "any value is taken");
  r.number("protocol", 1, (v) => (v === 0 ? "TCP" : "any value is taken"));
  r.number("highest", 2, (v) => (v >= 6 ? "from version 6 on, creations have 32 bits" : "below version 6, creations are 1 to 3"));
  r.number("lowest", 2, () => "the oldest version that the node speaks");
}

function describeName(b) {
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

function lookup(r) {
  const complete = r.end === r.limit;
  const terminated = complete && r.end - r.at > 0 && r.bytes[r.end - 1] === 0;
  const name = r.take("name", r.end - r.at - (terminated ? 1 : 0), describeName);
  if (name && complete) checkLookup(r, name);
  if (!name && complete) r.problem("close", "There is no name to look up.", r.fields.at(-1));
  if (terminated) r.take("nul", 1, () => ["NUL", "one NUL behind the name is dropped", "ignored"]);
}

function checkLookup(r, field) {
  const name = r.bytes.subarray(field.from, field.to);
  if (name.includes(0)) r.problem("close", "The name holds a NUL byte.", field);
  else if (utf8(name) === null) r.problem("close", "The name is not valid UTF-8.", field);
  else if (chars(name) > limits.lookupChars) {
    r.problem("close", `A name of more than ${limits.lookupChars} characters can be registered but not looked up.`, field);
  }
}

function stop(r) {
  if (r.limit - r.at === 0) r.problem("close", "There is no name to stop.", r.fields.at(-1));
  const nul = r.bytes.subarray(r.at, r.end).indexOf(0);
  r.take("name", nul < 0 ? r.end - r.at : nul, describeName);
  r.rest("tail", r.end, "the name ends at the first NUL: ignored");
}

// decodeHeld reads what a client sends on a connection that is kept.
export function decodeHeld(bytes) {
  const r = new Reader(bytes);
  if (r.rest("held", bytes.length, "any byte on a kept connection ends it", "close")) {
    r.problem("close", "Any byte ends a kept connection, and its registration.");
  }
  return r.message("");
}

// decodeReply reads the whole reply to the request with the given tag. Bytes that
// such a reply cannot have become a field "unknown".
export function decodeReply(tag, bytes) {
  const r = new Reader(bytes);
  let message = "";
  switch (bytes.length > 0 ? tag : 0) {
    case tags.register:
      message = registerReply(r);
      break;
    case tags.lookup:
      message = lookupReply(r);
      break;
    case tags.names:
      message = list(r, "NAMES_RESP", namesLine);
      break;
    case tags.dump:
      message = list(r, "DUMP_RESP", dumpLine);
      break;
    case tags.kill:
      message = "KILL_RESP";
      words(r, { OK: "the daemon ends", NO: "nodes are registered: nothing changes" });
      break;
    case tags.stop:
      message = "STOP_RESP";
      words(r, { STOPPED: "the name is unregistered, its connection closed", NOEXISTSTOPPED: "there is no such node" });
      break;
  }
  if (r.rest("unknown", bytes.length, "no part of such a reply", "close")) r.problem("close", "The reply has bytes that it should not have.");
  return r.message(message);
}

function registerReply(r) {
  const extended = r.bytes[0] === 118;
  if (!extended && r.bytes[0] !== 121) return "";
  const message = extended ? "ALIVE2_X_RESP" : "ALIVE2_RESP";
  r.number("tag", 1, () => message);
  const result = r.number("result", 1, (v) => (v === 0 ? "registered" : ["refused", "refuse"]));
  r.number("creation", extended ? 4 : 2, () => (result === 0 ? "tells this life of the node from its others" : ["means nothing in a refusal", "ignored"]));
  return message;
}

function lookupReply(r) {
  if (r.bytes[0] !== 119) return "";
  r.number("tag", 1, () => "PORT2_RESP");
  const result = r.number("result", 1, (v) => (v === 0 ? "found" : ["there is no such node", "refuse"]));
  if (result !== 0) return "PORT2_RESP";
  nodeHead(r);
  r.take("name", r.number("nlen", 2, (v) => `${v} ${plural(v, "byte")} of name`) ?? 0, describeName);
  const elen = r.number("elen", 2, (v) => `${v} ${plural(v, "byte")} of extra`) ?? 0;
  r.take("extra", elen, (b) => [`${b.length} ${plural(b.length, "byte")}`, "as the node registered it"]);
  return "PORT2_RESP";
}

function words(r, meanings) {
  const text = latin1(r.bytes);
  if (Object.hasOwn(meanings, text)) r.take("words", text.length, () => [text, meanings[text]]);
}

function list(r, message, line) {
  r.number("epmd", 4, () => "the daemon’s own port; lines follow");
  const text = latin1(r.bytes);
  while (r.at < r.end && line(r, text));
  return message;
}

const port16 = "(0|[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";

// A name may hold whole lines: a line ends at the first place where a port, a line
// break and then another line or the end follow.
const namesForm = new RegExp(`name ([^]*?) at port ${port16}\\n(?=name |$)`, "y");

function namesLine(r, text) {
  namesForm.lastIndex = r.at;
  const m = namesForm.exec(text);
  if (!m) return false;
  literal(r, 5);
  r.take("name", m[1].length, describeName);
  literal(r, 9);
  r.take("port", m[2].length, () => [m[2], "where the node listens, in digits"]);
  literal(r, 1);
  return true;
}

const activeForm = new RegExp(`^active name {5}<([^]*)> at port ${port16}, fd = (\\d+)\\n$`);
const oldForm = new RegExp(`^old/unused name <([^]*)>, port = ${port16}, fd = (\\d+) \\n$`);

function dumpLine(r, text) {
  const end = text.indexOf("\0", r.at);
  if (end < 0) return false;
  const line = text.slice(r.at, end);
  const active = activeForm.exec(line);
  const m = active ?? oldForm.exec(line);
  if (!m) return false;
  literal(r, 17);
  r.take("name", m[1].length, (b) => [show(b), active ? "registered" : "remembered: no longer registered"]);
  literal(r, 10);
  r.take("port", m[2].length, () => [m[2], "where the node listens, or listened"]);
  literal(r, 7);
  r.take("number", m[3].length, () => [m[3], "the daemon’s number for the connection"]);
  literal(r, end + 1 - r.at);
  return true;
}

// literal takes text that every line has.
function literal(r, n) {
  r.take("words", n, (b) => [show(b), ""]);
}
