// Plays conversations that were recorded with OTP's epmd against the module, in
// Node, and exits with 1 if it says anything else. It shows what a host has to do:
//
//   node fuzz/wasm/transcripts.mjs bin/epmd.wasm internal/transcript/standard.json

import {readFile} from "node:fs/promises";
import {argv, exit} from "node:process";
import {performance} from "node:perf_hooks";
import {EpmdModule} from "./epmd.mjs";

const PORT = 24369;

// A part of a pattern: a placeholder, or digits, or something that is neither.
const PART = /\{(C4|C2|FD|P)(?::([a-z]+)(?:\+([0-9]+))?)?\}|[0-9a-f]+|./g;

if (argv.length !== 4) {
  console.error("usage: node transcripts.mjs MODULE.wasm TRANSCRIPTS.json");
  exit(2);
}
const started = performance.now();
const module = await EpmdModule.load(await readFile(argv[2]));
console.log(`module started in ${Math.round(performance.now() - started)} ms`);
const {implementation, scenarios} = JSON.parse(await readFile(argv[3], "utf8"));
if (!Array.isArray(scenarios) || scenarios.length === 0) {
  console.error(`${argv[3]} holds no conversations`);
  exit(2);
}

const areas = new Map(); // area to {played, passed}
const differences = [];
for (const scenario of scenarios) {
  const area = areas.get(scenario.area) ?? {played: 0, passed: 0};
  areas.set(scenario.area, area);
  area.played++;
  try {
    play(scenario);
    area.passed++;
  } catch (e) {
    differences.push(`${scenario.name}: ${e.message}`);
  }
}
report();

/** Plays a conversation against a fresh daemon; throws where it differs. */
function play(scenario) {
  const daemon = module.daemon({port: PORT, relaxed: scenario.relaxed ?? false});
  const target = {daemon, conns: new Map(), byId: new Map(), ended: false};
  const bound = {wide: new Map(), narrow: new Map()};
  try {
    scenario.steps.forEach((step, i) => {
      try {
        playStep(target, step, bound);
      } catch (e) {
        throw new Error(`step ${i + 1}, connection ${step.conn}: ${e.message}`);
      }
    });
  } finally {
    daemon.delete();
  }
}

function playStep(target, step, bound) {
  for (const id of target.daemon.advance(Math.round((step.sleep ?? 0) * 1000))) {
    target.byId.get(id).closed = true;
  }
  if (step.exits !== undefined) {
    if (!target.ended || step.exits !== 0) throw new Error("the daemon has not ended as it should");
    return;
  }
  const c = connection(target, step.conn);
  if (step.send) step.send.split("|").forEach((segment) => arrive(target, c, bytes(segment)));
  if (step.halfclose || step.close || step.reset) leave(target, c);
  if (step.recv === undefined) return;
  const got = c.got;
  c.got = "";
  match(step.recv, got, bound);
  if (c.closed !== (step.then === "closed")) {
    throw new Error(`got ${got}, and then closed is ${c.closed}, expected "${step.then}"`);
  }
}

function connection(target, name) {
  if (!target.conns.has(name)) {
    const c = {id: target.daemon.open({local: true}), got: "", closed: false, left: false};
    target.conns.set(name, c);
    target.byId.set(c.id, c);
  }
  return target.conns.get(name);
}

/**
 * Lets the daemon read a segment, never more at a time than it wants. What comes
 * after the connection was closed is lost.
 */
function arrive(target, c, segment) {
  while (segment.length > 0 && !c.closed) {
    const chunk = segment.subarray(0, target.daemon.want(c.id));
    segment = segment.subarray(chunk.length);
    const {verdict, reply, used, evicted} = target.daemon.feed(c.id, chunk);
    if (used !== chunk.length) throw new Error(`${used} bytes used of ${chunk.length}`);
    for (const id of evicted) target.byId.get(id).closed = true;
    c.got += hex(reply);
    if (verdict === "close") c.closed = true;
    if (verdict === "stop") {
      target.ended = true;
      for (const other of target.byId.values()) other.closed = true;
    }
  }
}

/** The peer leaves; the daemon closes its side at once. */
function leave(target, c) {
  if (c.left) return;
  c.left = true;
  c.closed = true;
  target.daemon.end(c.id);
}

/**
 * Compares what arrived with a pattern, both in hexadecimal. In a pattern stand
 * {C4:x} and {C2:x} for a creation of 4 or 2 bytes, bound to a name where it
 * first stands, {C4:x+1} for one more, {FD} for decimal digits and {P} for the
 * daemon's port in 4 bytes.
 */
function match(pattern, got, bound) {
  let at = 0;
  const differ = (want) => {
    throw new Error(`got ${got}: from byte ${at / 2} on expected ${want}`);
  };
  const number = (digits, want) => {
    const part = got.slice(at, at + digits);
    if (part.length < digits) differ(want);
    at += digits;
    return parseInt(part, 16);
  };
  for (const [part, hole, name, plus] of pattern.matchAll(PART)) {
    switch (hole) {
      case undefined:
        if (!/^[0-9a-f]+$/.test(part)) throw new Error(`pattern ${pattern} is none`);
        if (!got.startsWith(part, at)) differ(part);
        at += part.length;
        break;
      case "FD": {
        const digits = /^(3[0-9])+/.exec(got.slice(at));
        if (digits === null) differ(part);
        at += digits[0].length;
        break;
      }
      case "P":
        if (number(8, part) !== PORT) differ(part);
        break;
      case "C4":
        if (!creation(bound.wide, name, plus, number(8, part), (x, n) => (x + n) >>> 0)) differ(part);
        break;
      case "C2":
        if (!creation(bound.narrow, name, plus, number(4, part), (x, n) => ((x - 1 + n) % 3) + 1)) differ(part);
        break;
    }
  }
  if (at < got.length) differ("the end");
}

/** Binds a name, or compares with what it is bound to. */
function creation(bound, name, plus, got, add) {
  const n = Number(plus ?? 0);
  if (bound.has(name)) return got === add(bound.get(name), n);
  bound.set(name, got);
  return n === 0;
}

function bytes(digits) {
  if (!/^([0-9a-f]{2})+$/i.test(digits)) throw new Error(`send ${digits}: not hexadecimal`);
  return Uint8Array.from(digits.match(/../g), (d) => parseInt(d, 16));
}

function hex(b) {
  return Array.from(b, (n) => n.toString(16).padStart(2, "0")).join("");
}

function report() {
  console.log(`\nconversations recorded with ${implementation}\n`);
  console.log("area".padEnd(16) + "played".padStart(8) + "passed".padStart(8));
  const sum = {played: 0, passed: 0};
  for (const [name, {played, passed}] of [...areas].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(name.padEnd(16) + String(played).padStart(8) + String(passed).padStart(8));
    sum.played += played;
    sum.passed += passed;
  }
  console.log("all".padEnd(16) + String(sum.played).padStart(8) + String(sum.passed).padStart(8));
  for (const d of differences) console.error(`DIFFERS ${d}`);
  exit(differences.length === 0 ? 0 : 1);
}
