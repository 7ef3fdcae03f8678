// Tests of the modules that need no page. run() gives {checks, failures}.
import { EpmdModule } from "./epmd.mjs";
import { chars, concat, formatHex, joinHex, parseHex, show } from "./bytes.js";
import { examples } from "./examples.js";
import { decodeHeld, decodeMore, decodeReply, decodeRequest, labels } from "./fields.js";
import { build, lookup3, node, node3, packet, tags, text } from "./requests.js";
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
  requests3();
  replies3();
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

function requests3() {
  const is = (what, hexText, want, ends) => same(what, brief(decodeRequest(parseHex(hexText).bytes, ends, true)), want);
  const head = "length=23 tag=88 port=9001 type=77";
  is("a transport", "0017 58 2329 4d 08 696e65745f746370 0006 0005 0001 61 0000 01",
    ["ALIVE3_REQ", `${head} tlen=8 transport=inet_tcp highest=6 lowest=5 nlen=1 name=a elen=0 tail=1 byte!ignored`, ""]);
  is("half a transport", "0017 58 2329 4d 08 696e65", ["ALIVE3_REQ", `${head} tlen=8 transport=ine!wait`, "wait"]);
  is("too long a transport", `0092 58 2329 4d 80 ${"74".repeat(128)} 0006 0005 0001 61 0000 00000000`,
    ["ALIVE3_REQ", `length=146 tag=88 port=9001 type=77 tlen=128!close transport=${"t".repeat(128)} highest=6 lowest=5 nlen=1 name=a elen=0 tail=4 bytes!ignored`, "close"]);
  is("a transport that lies", "000e 58 2329 4d 09 696e65745f746370 00",
    ["ALIVE3_REQ", "length=14 tag=88 port=9001 type=77 tlen=9!close transport=inet_tcp\\u{0}!close", "close"]);
  is("the next one in the same read", "000f 58 2329 4d 01 74 0006 0005 0000 0001 61 000f 58", ["ALIVE3_REQ",
    "length=15 tag=88 port=9001 type=77 tlen=1 transport=t highest=6 lowest=5 nlen=0 elen=1 extra=1 byte excess=3 bytes!close", "close"]);
  is("the next one later", "000f 58 2329 4d 01 74 0006 0005 0000 0001 61 000f 58", ["ALIVE3_REQ",
    "length=15 tag=88 port=9001 type=77 tlen=1 transport=t highest=6 lowest=5 nlen=0 elen=1 extra=1 byte length=15 tag=88", "wait"], [3, 20]);
  is("look up two", "0013 5a 07 02 0009 03 746c73 04 756473 ff 00 6162 00 00",
    ["PORT_PLEASE3_REQ", "length=19 tag=90 zero=7!ignored count=2 mlen=9 tlen=3 transport=tls tlen=4 transport=uds\\xff nlen=0!ignored name=ab\\u{0} nul=NUL!ignored", ""]);
  is("look up with any", "0007 5a 00 00 0000 01 61", ["PORT_PLEASE3_REQ", "length=7 tag=90 zero=0!ignored count=0 mlen=0 nlen=1!ignored name=a", ""]);
  is("a count that lies", "0009 5a 00 02 0002 01 74 01 61", ["PORT_PLEASE3_REQ", "length=9 tag=90 zero=0!ignored count=2 mlen=2 tlen=1 transport=t unknown=2 bytes!ignored", "refuse"]);
  is("a list that lies", "0009 5a 00 01 0005 01 74 01 61", ["PORT_PLEASE3_REQ", "length=9 tag=90 zero=0!ignored count=1 mlen=5 unknown=4 bytes!ignored", "refuse"]);
  is("33 transports", "0007 5a 00 21 0000 01 61", ["PORT_PLEASE3_REQ", "length=7 tag=90 zero=0!ignored count=33 mlen=0 unknown=2 bytes!ignored", "refuse"]);
  is("no name", "0006 5a 00 00 0000 00", ["PORT_PLEASE3_REQ", "length=6 tag=90 zero=0!ignored count=0 mlen=0 nlen=0!close", "close"]);
  is("stop", "0004 53 61 00 62", ["STOP3_REQ", "length=4 tag=83 name=a tail=2 bytes!ignored", ""]);
  is("stop nothing", "0001 53", ["STOP3_REQ", "length=1 tag=83", ""]);
  is("list", "0002 4e 00", ["NAMES3_REQ", "length=2 tag=78 tail=1 byte!ignored", ""]);
  same("without the extension", brief(decodeRequest(parseHex("0001 4e").bytes)), ["NAMES3_REQ", "length=1 tag=78!close", "close"]);

  const more = (what, hexText, want) => same(what, brief(decodeMore(parseHex(hexText).bytes)), want);
  const good = "000f 58 2329 4d 01 74 0006 0005 0000 0001 61";
  const read = "length=15 tag=88 port=9001 type=77 tlen=1 transport=t highest=6 lowest=5 nlen=0 elen=1 extra=1 byte";
  more("two more", `${good} ${good}`, ["ALIVE3_REQ", `${read} ${read}`, ""]);
  more("half a length more", `${good} 00`, ["ALIVE3_REQ", `${read} length!wait`, "wait"]);
  more("half of one more", "000e 58 23", ["ALIVE3_REQ", "length=14 tag=88 port!wait", "wait"]);
  more("another request", `${good} 0001 4e 00`, ["ALIVE3_REQ", `${read} length=1 tag=78!close unknown=1 byte!ignored`, "close"]);
  more("no length", "0000 58", ["", "length=0!close unknown=1 byte!ignored", "close"]);
}

function replies3() {
  const is = (what, tag, bytes, want) => same(what, brief(decodeReply(tag, bytes)).slice(0, 2), want);
  is("two replies", tags.register3, parseHex("0006 76 00 00000063 0004 79 01 0063").bytes,
    ["ALIVE3_RESP", "length=6 tag=118 result=0 creation=99 length=4 tag=121 result=1!refuse creation=99!ignored"]);
  is("not found", tags.lookup3, parseHex("0002 77 01").bytes, ["PORT3_RESP", "length=2 tag=119 result=1!refuse"]);
  is("found", tags.lookup3, parseHex("0017 77 00 0000 02 0007 0001 01 74 0002 00 4d 0006 0005 0001 61 0001 62").bytes,
    ["PORT3_RESP", "length=23 tag=119 result=0 zero=0 count=2 mlen=7 port=1 tlen=1 transport=t port=2 tlen=0 type=77 highest=6 lowest=5 nlen=1 name=a elen=1 extra=1 byte"]);
  const block = (more, ...parts) => packet(Uint8Array.of(more), ...parts.map((p) => (typeof p === "string" ? text(p) : p)));
  const port = Uint8Array.of(0, 0, 0x11, 0x11);
  is("names in two blocks", tags.names3, concat(block(1, port, "name a\nb at port 2#x y 3#\n"), block(0, "name c at port 4#z\n")),
    ["NAMES3_RESP", "length=31 follows=1 epmd=4369 words=name  name=a\\u{a}b words= at port  port=2 words=# transport=x y words=  port=3 words=# words=\\u{a} length=20 follows=0 words=name  name=c words= at port  port=4 words=# transport=z words=\\u{a}"]);
  is("a dump", tags.dump3, block(0, port, "active name     <a> at port 7#t, fd = 12\nold/unused name <b> at port 1#, fd = 3\n"),
    ["DUMP3_RESP", "length=85 follows=0 epmd=4369 words=active name     < name=a words=> at port  port=7 words=# transport=t words=, fd =  number=12 words=\\u{a} words=old/unused name < name=b words=> at port  port=1 words=# words=, fd =  number=3 words=\\u{a}"]);
  is("a bad list", tags.names3, block(0, port, "nome"), ["NAMES3_RESP", "length=9 follows=0 epmd=4369 unknown=4 bytes!close"]);
  is("stopped", tags.stop3, packet(text("NOEXIST")), ["STOP3_RESP", "length=7 words=NOEXIST"]);
  is("rubbish", tags.kill3, packet(text("OX")), ["KILL3_RESP", "unknown=4 bytes!close"]);
}

function links() {
  const bytes = Uint8Array.of(0, 1, 0x6e);
  const events = [{ do: "open", local: true }, { do: "open", local: false }, { do: "send", conn: 2, bytes }, { do: "close", conn: 1 }, { do: "advance", seconds: 60 }];
  const settings = { relaxed: true, restarts: true, multi: true, port: 1, timeout: 0, remember: 5, now: 0 };
  const fragment = encode({ settings, events });
  same("a link", fragment, "1.relaxed.restarts.multi.port=1.timeout=0.remember=5.now=0.l.r.2=00016e.x1.t60");
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
    const settings = { ...defaults, ...x.settings };
    const fragment = encode({ settings, events: x.events });
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
    same(`${x.title} again`, play(again.settings, again.events), play(settings, x.events));
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
  const list = Array.from({ length: 32 }, (_, i) => `t${i}`);
  const more = [
    node3("alpha", "inet_tcp", 9001), node3("é😀", "t".repeat(127), 1), node3("alpha", "t".repeat(128), 1), node3("", "", 1, { extra: Uint8Array.of(1) }), node3("a", "", 1, { highest: 5 }),
    lookup3("alpha", "inet_tls", "inet_tcp"), lookup3("alpha"), lookup3("alpha", ...list), lookup3("alpha", ...list, "t"), lookup3("alpha", "t".repeat(128)), lookup3("", "uds"),
    build("names3", {}), build("dump3", {}), build("kill3", {}), build("stop3", { name: text("alpha") }), build("stop3", {}),
  ];
  const seen = {};
  for (let i = 0; i < 5000; i++) {
    const multi = i % 2 === 1;
    const from = multi || i % 8 === 0 ? [...seeds, ...more, ...more] : seeds;
    const n = i >> 1;
    const bytes = n < from.length ? from[n] : mutate(from[Math.floor(random() * from.length)], random);
    const daemon = module.daemon({ relaxed: true, nowMs: 0, multiTransport: multi });
    const got = daemon.feed(daemon.open({ local: true }), bytes.subarray(0, 3059));
    daemon.delete();
    const decoded = decodeRequest(bytes, undefined, multi);
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
