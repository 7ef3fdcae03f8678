// The messages of the multi-transport extension as named fields; fields.js says what
// those are. Pure: no DOM, no state.
import { latin1, show } from "./bytes.js";
import { describeName, granted, limits, literal, plural, port, port16, registrant, stopped, told, type, versions } from "./reader.js";
import { tags } from "./requests.js";

// messages3 are the requests by their tags: what they are called and for.
export const messages3 = {
  [tags.register3]: ["ALIVE3_REQ", "register a transport of a node"],
  [tags.lookup3]: ["PORT_PLEASE3_REQ", "look up a node’s transports"],
  [tags.names3]: ["NAMES3_REQ", "list the registered nodes with their transports"],
  [tags.dump3]: ["DUMP3_REQ", "list nodes and remembered names with their transports"],
  [tags.kill3]: ["KILL3_REQ", "end the daemon"],
  [tags.stop3]: ["STOP3_REQ", "unregister a node by force"],
};

// body3 takes the body of a request, of n bytes, behind its tag.
export function body3(r, tag, n) {
  switch (tag) {
    case tags.register3:
      return register(r, n);
    case tags.lookup3:
      return lookup(r, n);
    case tags.stop3:
      return stopped(r);
    default:
      return r.rest("tail", r.end, "behind the tag: ignored");
  }
}

function transport(note) {
  return (b) => [show(b), note];
}

function register(r, n) {
  if (n <= 13) r.problem("close", "An ALIVE3_REQ has more than 13 bytes.", r.fields.at(-2));
  port(r);
  type(r);
  const tlen = r.number("tlen", 1, (v) => `${v} ${plural(v, "byte")} of transport`);
  if (tlen === null) return;
  if (tlen > limits.transport) r.problem("close", `The transport is longer than ${limits.transport} bytes.`, r.fields.at(-1));
  else if (tlen + 13 > n) r.problem("close", "The transport’s length runs past the end of the packet.", r.fields.at(-1));
  const name = r.take("transport", tlen, transport("the distribution module, without _dist"));
  if (name && r.bytes.subarray(name.from, name.to).includes(0)) r.problem("close", "The transport holds a NUL byte.", name);
  versions(r);
  registrant(r, n, 13 + tlen);
}

function lookup(r, n) {
  if (n < 6) r.problem("close", "A PORT_PLEASE3_REQ has at least 6 bytes.", r.fields.at(-2));
  r.number("zero", 1, () => ["passed over", "ignored"]);
  const count = r.number("count", 1, (v) => (v === 0 ? "any will do; none is told" : "that the asking side speaks"));
  const mlen = r.number("mlen", 2, (v) => `${v} ${plural(v, "byte")} of list`);
  if (mlen === null) return;
  const bad = badList(r, n, count, mlen);
  if (bad) {
    r.problem(bad.level, bad.text);
    return void r.rest("unknown", r.end, bad.rest);
  }
  r.number("nlen", 1, () => ["passed over: the name runs to the end", "ignored"]);
  const complete = r.end === r.limit;
  const terminated = complete && r.end - r.at > 0 && r.bytes[r.end - 1] === 0;
  const name = r.take("name", r.end - r.at - (terminated ? 1 : 0), describeName);
  if (!name && complete && n >= 6) r.problem("close", "There is no name to look up.", r.fields.at(-1));
  if (terminated) r.take("nul", 1, () => ["NUL", "one NUL behind the name is dropped", "ignored"]);
}

// badList takes a list of transports, and says what is wrong with it: too long a name
// closes, all else is answered as if there were no such node.
function badList(r, n, count, mlen) {
  const nothing = (text) => ({ level: "refuse", text: `${text}: answered as if there were no such node.`, rest: "what such a list is followed by is not looked at" });
  if (count > limits.transports) return nothing(`More than ${limits.transports} transports`);
  if (5 + mlen + 1 > n) return nothing("The list runs past the end of the packet");
  const end = r.at + mlen;
  let left = count;
  for (; r.at < Math.min(end, r.end); left--) {
    const tlen = r.number("tlen", 1, (v) => `${v} ${plural(v, "byte")} of transport`);
    if (r.at + tlen > end) return nothing("A transport runs past the end of the list");
    if (tlen > limits.transport) return { level: "close", text: `A transport is longer than ${limits.transport} bytes.`, rest: "never looked at" };
    r.take("transport", tlen, transport("one that the asking side speaks"));
  }
  return r.at === end && left !== 0 ? nothing("There are not so many transports as the request says") : null;
}

// further takes ALIVE3_REQs, one after the other, of which the last need not be
// complete. Anything else ends the connection.
export function further(r) {
  while (r.at < r.bytes.length) {
    const from = r.at;
    r.limit = Math.max(r.bytes.length, from + 3);
    r.end = r.bytes.length;
    const n = r.number("length", 2, (v) => `${v} ${plural(v, "byte")} follow${v === 1 ? "s" : ""}`);
    const end = from + 2 + n;
    if (n !== null && (n < 1 || n > limits.body)) {
      r.problem("close", `A request has 1 to ${limits.body} bytes.`, r.fields.at(-1));
      break;
    }
    const tag = r.number("tag", 1, (v) => (v === tags.register3 ? "ALIVE3_REQ: another transport, of this node or another" : ["no ALIVE3_REQ", "close"]));
    if (tag !== null && tag !== tags.register3) {
      r.problem("close", "On such a connection, anything but another ALIVE3_REQ ends it, and its registrations.");
      break;
    }
    const missing = (n === null ? from + 3 : end) - r.bytes.length;
    if (missing > 0) r.problem("wait", n === null ? "More must come before the length is known." : `${missing} ${plural(missing, "byte")} more must come.`);
    if (tag === null) break;
    r.limit = end;
    r.end = Math.min(end, r.bytes.length);
    register(r, n);
    if (r.problems.some((p) => p.level === "close")) break;
  }
  r.limit = r.end = r.bytes.length;
  r.rest("unknown", r.bytes.length, "never looked at");
}

// reply3 takes the reply to a request with the given tag, and names it; it is "" if there
// is none.
export function reply3(r, tag) {
  switch (tag) {
    case tags.register3:
      return registerReplies(r);
    case tags.lookup3:
      return lookupReply(r);
    case tags.names3:
      return blocks(r, "NAMES3_RESP", namesLine);
    case tags.dump3:
      return blocks(r, "DUMP3_RESP", dumpLine);
    case tags.kill3:
      return words(r, "KILL3_RESP", { OK: "the daemon ends", NO: "nodes are registered: nothing changes" });
    case tags.stop3:
      return words(r, "STOP3_RESP", { STOPPED: "the name is unregistered, its connections closed", NOEXIST: "there is no such node" });
  }
  return "";
}

function length(r) {
  return r.number("length", 2, (v) => `${v} ${plural(v, "byte")} follow${v === 1 ? "s" : ""}`);
}

// registerReplies takes one reply for each request that was answered.
function registerReplies(r) {
  let message = "";
  while ([118, 121].includes(r.bytes[r.at + 2])) {
    const extended = r.bytes[r.at + 2] === 118;
    message = extended ? "ALIVE3_X_RESP" : "ALIVE3_RESP";
    length(r);
    r.number("tag", 1, () => message);
    granted(r, extended);
  }
  return message;
}

function lookupReply(r) {
  if (r.bytes[2] !== 119) return "";
  length(r);
  r.number("tag", 1, () => "PORT3_RESP");
  const result = r.number("result", 1, (v) => (v === 0 ? "found" : ["no such node, or no transport in common", "refuse"]));
  if (result !== 0) return "PORT3_RESP";
  r.number("zero", 2, () => "always 0");
  const count = r.number("count", 1, () => "those asked for that the node has");
  r.number("mlen", 2, (v) => `${v} ${plural(v, "byte")} of list`);
  for (let i = 0; i < count; i++) {
    r.number("port", 2, () => "where the node listens for it");
    r.take("transport", r.number("tlen", 1, (v) => `${v} ${plural(v, "byte")} of transport`) ?? 0, transport("in the order of registration"));
  }
  type(r);
  versions(r);
  told(r);
  return "PORT3_RESP";
}

function words(r, message, meanings) {
  const text = latin1(r.bytes.subarray(2));
  if (!Object.hasOwn(meanings, text)) return message;
  length(r);
  r.take("words", text.length, () => [text, meanings[text]]);
  return message;
}

// blocks takes a list, which comes in blocks; only the first has the daemon’s port.
function blocks(r, message, line) {
  for (let more = 1; more === 1 && r.at < r.bytes.length; ) {
    const first = r.at === 0;
    const end = r.at + 2 + length(r);
    more = r.number("follows", 1, (v) => (v === 0 ? "the last block" : "another block follows"));
    if (first) r.number("epmd", 4, () => "the daemon’s own port; lines follow");
    const from = r.at;
    const text = latin1(r.bytes.subarray(from, end));
    while (r.at < end && line(r, text, from));
    if (r.at < end) break;
  }
  return message;
}

// A name may hold whole lines, and a transport too: a line ends at the first place
// where a port, a line break and then another line or the end of the block follow.
const namesForm = new RegExp(`name ([^]*?) at port (${port16}#[^]*?)\\n(?=name |$)`, "y");

// namesLine takes the line where the reader is; text is the block, from `from` on.
function namesLine(r, text, from) {
  namesForm.lastIndex = r.at - from;
  const m = namesForm.exec(text);
  if (!m) return false;
  literal(r, 5);
  r.take("name", m[1].length, describeName);
  literal(r, 9);
  ports(r, m[2]);
  literal(r, 1);
  return true;
}

const dumpForm = new RegExp(`(active|old/unused) name {1,5}<([^]*?)> at port (${port16}#[^]*?), fd = (\\d+)\\n(?=active name {5}<|old/unused name <|$)`, "y");

function dumpLine(r, text, from) {
  dumpForm.lastIndex = r.at - from;
  const m = dumpForm.exec(text);
  if (!m) return false;
  literal(r, 17);
  r.take("name", m[2].length, (b) => [show(b), m[1] === "active" ? "registered" : "remembered: no longer registered"]);
  literal(r, 10);
  ports(r, m[3]);
  literal(r, 7);
  r.take("number", m[4].length, () => [m[4], "the daemon’s number for the connection of the first"]);
  literal(r, 1);
  return true;
}

const between = new RegExp(` (?=${port16}#)`);

// ports takes PORT#TRANSPORT, with blanks between.
function ports(r, text) {
  for (const [i, part] of text.split(between).entries()) {
    if (i > 0) literal(r, 1);
    const digits = part.slice(0, part.indexOf("#"));
    r.take("port", digits.length, () => [digits, "where the node listens for it, in digits"]);
    literal(r, 1);
    r.take("transport", part.length - digits.length - 1, transport(""));
  }
}
