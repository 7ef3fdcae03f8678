// The bytes of requests and replies as named fields. Pure: no DOM, no state.
//
// A field is {id, from, to, value, note, level}: bytes from (inclusive) to `to`
// (exclusive), what they say, what that means, and how it bears on the outcome:
// "close" (the connection is closed unanswered), "refuse" (answered with result
// 1), "wait" (more bytes must come), "ignored", or "" when all is well. A decoded
// message is {message, fields, problems}: fields cover every byte once, in order;
// problems are {level, text}, the one that decides first.
import { chars, latin1, show, utf8 } from "./bytes.js";
import { body3, further, messages3, reply3 } from "./fields3.js";
import { describeName, granted, limits, literal, plural, port, port16, Reader, registrant, stopped, told, type, versions } from "./reader.js";
import { tags } from "./requests.js";

export { labels, limits } from "./reader.js";

const messages = {
  ...messages3,
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

// decodeRequest reads what a client sends on a fresh connection. ends are the
// offsets at which its segments end: what else has come when the length becomes
// known decides what becomes of bytes behind the packet. multi says that the daemon
// takes the requests of the multi-transport extension.
export function decodeRequest(bytes, ends = [bytes.length], multi = false) {
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
  const tag = r.number("tag", 1, (v) => describeTag(v, multi));
  if (tag !== null) body(r, tag, n, multi);
  r.end = r.limit = bytes.length;
  if (multi && tag === tags.register3 && !r.problems.some((p) => p.level !== "refuse")) further(r);
  r.rest("excess", bytes.length, ...excess(first > packet, tag));
  return r.message(messageName(tag));
}

function describeTag(v, multi) {
  const known = messages[v];
  if (known && v in messages3 && !multi) return [`${known[0]}, which this daemon does not know`, "close"];
  return known ? [`${known[0]}: ${known[1]}`] : ["no request has this tag", "close"];
}

function excess(sameRead, tag) {
  if (sameRead) return ["behind the packet, in the same read: closed unanswered", "close"];
  if (tag === tags.register) return ["behind the packet: read later, and ends the registration", "close"];
  return ["behind the packet: never read", "ignored"];
}

function body(r, tag, n, multi) {
  if (multi && tag in messages3) return body3(r, tag, n);
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
  const text = tag in messages3 ? "The daemon takes this request only with several transports on." : "No request has this tag.";
  r.problem("close", text, r.fields.at(-1));
  return r.rest("unknown", r.end, "never looked at");
}

function register(r, n) {
  if (n <= 13) r.problem("close", "An ALIVE2_REQ has more than 13 bytes.", r.fields[0]);
  port(r);
  type(r);
  protocol(r);
  versions(r);
  registrant(r, n, 13);
}

function protocol(r) {
  r.number("protocol", 1, (v) => (v === 0 ? "TCP" : "any value is taken"));
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
  stopped(r);
}

// decodeHeld reads what a client sends on a connection that is kept.
export function decodeHeld(bytes) {
  const r = new Reader(bytes);
  if (r.rest("held", bytes.length, "any byte on a kept connection ends it", "close")) {
    r.problem("close", "Any byte ends a kept connection, and its registration.");
  }
  return r.message("");
}

// decodeMore reads what a client sends on a connection that is kept and takes further
// ALIVE3_REQs.
export function decodeMore(bytes) {
  const r = new Reader(bytes);
  further(r);
  return r.message(r.fields.some((f) => f.id === "tag") ? messageName(tags.register3) : "");
}

// decodeSent reads what a client sends: on a connection that is held and takes nothing,
// on one that takes more, or on a fresh one.
export function decodeSent(bytes, ends, { held, more, multi }) {
  if (more) return decodeMore(bytes);
  return held ? decodeHeld(bytes) : decodeRequest(bytes, ends, multi);
}

// decodeReply reads the whole reply to the request with the given tag. Bytes that
// such a reply cannot have become a field "unknown".
export function decodeReply(tag, bytes) {
  const r = new Reader(bytes);
  let message = bytes.length > 0 ? reply3(r, tag) : "";
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
  granted(r, extended);
  return message;
}

function lookupReply(r) {
  if (r.bytes[0] !== 119) return "";
  r.number("tag", 1, () => "PORT2_RESP");
  const result = r.number("result", 1, (v) => (v === 0 ? "found" : ["there is no such node", "refuse"]));
  if (result !== 0) return "PORT2_RESP";
  port(r);
  type(r);
  protocol(r);
  versions(r);
  told(r);
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

// A name may hold whole lines: a line ends at the first place where a port, a line
// break and then another line or the end follow.
const namesForm = new RegExp(`name ([^]*?) at port (${port16})\\n(?=name |$)`, "y");

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

const activeForm = new RegExp(`^active name {5}<([^]*)> at port (${port16}), fd = (\\d+)\\n$`);
const oldForm = new RegExp(`^old/unused name <([^]*)>, port = (${port16}), fd = (\\d+) \\n$`);

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
