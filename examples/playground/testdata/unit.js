// Tests of the modules that need no page. run() gives {checks, failures}.
import { EpmdModule } from "./epmd.mjs";
import { chars, concat, formatHex, joinHex, parseHex, show } from "./bytes.js";
import { examples } from "./examples.js";
import { decodeHeld, decodeReply, decodeRequest, labels } from "./fields.js";
import { build, node, packet, tags, text } from "./requests.js";
import { bounds, decode, defaults, encode } from "./share.js";
import { Talk } from "./talk.js";

let checks = 0;
const failures = [];

function same(what, got, want) {
  checks++;
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w && failures.length < 20) failures.push(`${what}: got ${g}, want ${w}`);
}

export async function run() {
  hex();
  requests();
  replies();
  links();
  const module = await EpmdModule.load(await (await fetch("epmd.wasm")).arrayBuffer());
  conversations(module);
  agreement(module);
  return { checks, failures };
}

function hex() {
  const parsed = (s) => {
    const p = parseHex(s);
    return [joinHex(p.bytes), p.cuts, p.error !== ""];
  };
  same("blanks", parsed(" 00 016E\n"), ["00016e", [], false]);
  same("cuts", parsed("00|01 | 6e|"), ["00016e", [1, 2], false]);
  same("empty segments", parsed("||00||01||"), ["0001", [1], false]);
  same("nothing", parsed(""), ["", [], false]);
  for (const bad of ["0", "000", "0 0", "0|0", "xx", "0x00", "é", "\u{1f600}"]) same(`bad ${bad}`, parsed(bad), ["", [], true]);
  same("format", formatHex(Uint8Array.of(0, 1, 2), [1, 2]), "00 | 01 | 02");
  same("hostile name", show(text("a\u202eb\n\u{e0041}")), "a\\u{202e}b\\u{a}\\u{e0041}");
  same("no UTF-8", show(Uint8Array.of(0x61, 0xff)), "a\\xff");
  same("a surrogate is none", show(Uint8Array.of(0xed, 0xa0, 0x80)), "\\xed\\xa0\\x80");
  same("characters", [chars(text("é😀")), chars(Uint8Array.of(0xff, 0xfe))], [2, 2]);
}

// brief is a decoded message as "field=value!level …" and the level that decides.
function brief({ message, fields, problems }) {
  const all = fields.map((f) => `${f.id}${f.value ? `=${f.value}` : ""}${f.level ? `!${f.level}` : ""}`);
  return [message, all.join(" "), problems[0]?.level ?? ""];
}

function requests() {
  const is = (what, hexText, want, ends) => same(what, brief(decodeRequest(parseHex(hexText).bytes, ends)), want);
  is("register", "0013 78 2329 4d 00 0006 0005 0001 61 0003 aabbcc 0102",
    ["ALIVE2_REQ", "length=19 tag=120 port=9001 type=77 protocol=0 highest=6 lowest=5 nlen=1 name=a elen=3 extra=3 bytes tail=2 bytes!ignored", ""]);
  is("half a length", "00", ["", "length!wait", "wait"]);
  is("no body", "0000", ["", "length=0!close", "close"]);
  is("too long a body", "0bf2 78", ["", "length=3058!close unknown=1 byte!ignored", "close"]);
  is("half a port", "0012 78 23", ["ALIVE2_REQ", "length=18 tag=120 port!wait", "wait"]);
  is("13 bytes are too few", "000d 78 2329 4d 00 0006 0005 0000 0000",
    ["ALIVE2_REQ", "length=13!close tag=120 port=9001 type=77 protocol=0 highest=6 lowest=5 nlen=0 elen=0", "close"]);
  is("a name that lies", "000e 78 2329 4d 00 0006 0005 0009 61 0000",
    ["ALIVE2_REQ", "length=14 tag=120 port=9001 type=77 protocol=0 highest=6 lowest=5 nlen=9!close name=a\\u{0}\\u{0}!close", "close"]);
  is("an extra that lies", "000e 78 2329 4d 00 0006 0005 0001 61 0001",
    ["ALIVE2_REQ", "length=14 tag=120 port=9001 type=77 protocol=0 highest=6 lowest=5 nlen=1 name=a elen=1!close", "close"]);
  is("look up", "0003 7a 61 00", ["PORT_PLEASE2_REQ", "length=3 tag=122 name=a nul=NUL!ignored", ""]);
  is("look up nothing", "0001 7a", ["PORT_PLEASE2_REQ", "length=1 tag=122!close", "close"]);
  is("excess at once", "0001 6e 00", ["NAMES_REQ", "length=1 tag=110 excess=1 byte!close", "close"]);
  is("excess later", "0001 6e 00", ["NAMES_REQ", "length=1 tag=110 excess=1 byte!ignored", ""], [3, 4]);
  is("excess when the length was known", "0002 6e 00 00", ["NAMES_REQ", "length=2 tag=110 tail=1 byte!ignored excess=1 byte!ignored", ""], [3, 5]);
  is("stop with a tail", "0004 73 61 00 62", ["STOP_REQ", "length=4 tag=115 name=a tail=2 bytes!ignored", ""]);
  is("no such tag", "0002 01 02", ["", "length=2 tag=1!close unknown=1 byte!ignored", "close"]);
  is("nothing", "", ["", "", ""]);
  same("held", brief(decodeHeld(Uint8Array.of(1, 2))), ["", "held=2 bytes!close", "close"]);
}

function replies() {
  const is = (what, tag, bytes, want) => same(what, brief(decodeReply(tag, bytes)).slice(0, 2), want);
  const port = Uint8Array.of(0, 0, 0x11, 0x11);
  is("registered", tags.register, parseHex("76 00 00000063").bytes, ["ALIVE2_X_RESP", "tag=118 result=0 creation=99"]);
  is("old form, refused", tags.register, parseHex("79 01 0063").bytes, ["ALIVE2_RESP", "tag=121 result=1!refuse creation=99!ignored"]);
  is("not found", tags.lookup, parseHex("77 01").bytes, ["PORT2_RESP", "tag=119 result=1!refuse"]);
  is("an ambiguous list", tags.names, concat(port, text("name a at port 1\nb at port 2\nname c at port 99999 at port 3\n")),
    ["NAMES_RESP", "epmd=4369 words=name  name=a at port 1\\u{a}b words= at port  port=2 words=\\u{a} words=name  name=c at port 99999 words= at port  port=3 words=\\u{a}"]);
  is("a bad list", tags.names, concat(port, text("nome")), ["NAMES_RESP", "epmd=4369 unknown=4 bytes!close"]);
  is("a dump", tags.dump, concat(port, text("active name     <a> at port 7, fd = 12\n\0old/unused name <b>, port = 1, fd = 3 \n\0")),
    ["DUMP_RESP", "epmd=4369 words=active name     < name=a words=> at port  port=7 words=, fd =  number=12 words=\\u{a}\\u{0} words=old/unused name < name=b words=>, port =  port=1 words=, fd =  number=3 words= \\u{a}\\u{0}"]);
  is("stopped", tags.stop, text("NOEXISTSTOPPED"), ["STOP_RESP", "words=NOEXISTSTOPPED"]);
  is("rubbish", tags.kill, text("OX"), ["KILL_RESP", "unknown=2 bytes!close"]);
  is("nothing", tags.kill, text(""), ["", ""]);
}

function links() {
  const bytes = Uint8Array.of(0, 1, 0x6e);
  const events = [{ do: "open", local: true }, { do: "open", local: false }, { do: "send", conn: 2, bytes }, { do: "close", conn: 1 }, { do: "advance", seconds: 60 }];
  const settings = { relaxed: true, restarts: true, port: 1, timeout: 0, remember: 5, now: 0 };
  const fragment = encode({ settings, events });
  same("a link", fragment, "1.relaxed.restarts.port=1.timeout=0.remember=5.now=0.l.r.2=00016e.x1.t60");
  const back = decode(fragment);
  same("and back", [back.settings, back.error, encode(back)], [settings, "", fragment]);
  same("empty", decode("1"), { settings: { ...defaults }, events: [], error: "" });
  const bad = ["", "2", "1.", "1..", "x", "1.l.2=00", "1.1=00", "1.l.1=0", "1.l.1=", "1.l.1=0g", "1.l.0=00", "1.x1", "1.t0", "1.t100000", "1.t-1", "1.l.x100",
    "1.port=0", "1.port=65536", "1.port=080", "1.port", "1.relaxed=1", "1.relaxed.relaxed", "1.l.relaxed", "1.now=4294967296", "1.remember=0", "1.constructor=1", "1.__proto__",
    "1.toString", "1.%00", "1.<img src=x>", `1${".l".repeat(bounds.conns + 1)}`, `1${".t1".repeat(bounds.events + 1)}`, `1.l.1=${"00".repeat(bounds.bytes + 1)}`, "1".repeat(bounds.chars + 1)];
  for (const b of bad) same(`bad link ${b.slice(0, 40)}`, decode(b).error !== "", true);
  const most = Array.from({ length: bounds.events }, () => ({ do: "advance", seconds: 1 }));
  same("the most steps", decode(encode({ settings: defaults, events: most })).events.length, bounds.events);
  same("one too many", encode({ settings: defaults, events: [...most, most[0]] }), null);
  const long = { do: "send", conn: 1, bytes: new Uint8Array(bounds.bytes) };
  same("too many bytes", encode({ settings: defaults, events: [events[0], long, long, long, long] }), null);
}

// conversations: every example can be shared, and replays the same.
function conversations(module) {
  for (const x of examples) {
    const fragment = encode({ settings: defaults, events: x.events });
    const again = decode(fragment ?? "");
    same(`${x.title} as a link`, again.error, "");
    const play = (settings, events) => {
      const t = new Talk(module, settings);
      const log = events.map((e) => t.play(e));
      const all = JSON.stringify([log, t.state()]);
      t.delete();
      same(`${x.title} has no empty step`, log.some((e) => e.failed), false);
      return all;
    };
    same(`${x.title} again`, play(again.settings, again.events), play(defaults, x.events));
  }
}

// agreement: what the fields say of thousands of requests, good and bad, is what
// the daemon does with them.
function agreement(module) {
  const random = generator(20240607);
  const seeds = [
    node("alpha", 9001), node("é😀", 1, { extra: Uint8Array.of(1, 2), tail: Uint8Array.of(3) }), node("", 1, { tail: Uint8Array.of(0) }), node("n".repeat(255), 2),
    node("é".repeat(256), 2), node("x".repeat(1021), 2), node("x", 3, { extra: new Uint8Array(1021) }), node("a", 2, { highest: 5 }),
    build("lookup", { name: text("alpha") }), build("lookup", { name: text("n".repeat(254)), tail: Uint8Array.of(0) }), build("lookup", { name: text("n".repeat(255)) }),
    build("names", {}), build("dump", { tail: Uint8Array.of(1) }), build("kill", {}), build("stop", { name: text("alpha") }), packet(Uint8Array.of(1)), packet(new Uint8Array(3057)),
  ];
  const seen = {};
  for (let i = 0; i < 3000; i++) {
    const bytes = i < seeds.length ? seeds[i] : mutate(seeds[Math.floor(random() * seeds.length)], random);
    const daemon = module.daemon({ relaxed: true, nowMs: 0 });
    const got = daemon.feed(daemon.open({ local: true }), bytes.subarray(0, 3059));
    daemon.delete();
    const decoded = decodeRequest(bytes);
    const said = decoded.problems[0]?.level ?? "";
    const done = got.verdict === "more" ? (bytes.length > 0 ? "wait" : "") : got.reply.length === 0 ? "close" : got.error ? "refuse" : "";
    seen[done] = (seen[done] ?? 0) + 1;
    same(`verdict on ${joinHex(bytes).slice(0, 80)} (${got.error})`, said, done);
    covered(bytes, decoded);
    if (got.reply.length > 0) {
      const reply = decodeReply(got.tag, got.reply);
      covered(got.reply, reply);
      same("the reply is understood", [reply.problems, reply.fields.some((f) => f.id === "unknown")], [[], false]);
    }
  }
  for (const level of ["wait", "close", "refuse", ""]) same(`enough of “${level}”`, seen[level] > 50, true);
}

// covered: the fields hold every byte once, in order, and have names.
function covered(bytes, { fields }) {
  let at = 0;
  for (const f of fields) {
    if (f.from !== at || f.to <= f.from || !labels[f.id]) break;
    at = f.to;
  }
  same(`the fields of ${joinHex(bytes).slice(0, 80)} end`, at, bytes.length);
}

function mutate(bytes, random) {
  const out = [...bytes];
  for (let n = Math.floor(random() * 3); n >= 0; n--) {
    const at = Math.floor(random() * Math.min(out.length, 24));
    const byte = [0, 1, 255, 128, Math.floor(random() * 256)][Math.floor(random() * 5)];
    const how = random();
    if (how < 0.5) out[at] = byte;
    else if (how < 0.7) out.splice(at, 1);
    else if (how < 0.85) out.splice(at, 0, byte);
    else if (how < 0.95) out.length = at;
    else out.push(byte);
  }
  if (random() < 0.5 && out.length > 2 && out.length < 3000) out.splice(0, 2, (out.length - 2) >> 8, (out.length - 2) & 255);
  return Uint8Array.from(out);
}

// generator gives the same numbers from 0 to 1 for the same seed.
function generator(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
