// Plays the conformance suite against the module, in Node, and exits with 1 if it
// says anything else. It shows what a host has to do:
//
//   go run ./cmd/epmd-conformance list -json >bin/scenarios.json
//   node fuzz/wasm/scenarios.mjs bin/epmd.wasm bin/scenarios.json

import {readFile} from "node:fs/promises";
import {argv, exit} from "node:process";
import {performance} from "node:perf_hooks";
import {EpmdModule} from "./epmd.mjs";

const PORT = 24369;

// A part of a pattern: a hole, or digits, or something that is neither.
const PART = /\{(creation2?|first|fd|port|length|anything)(?::([a-z]+[0-9]*)(?:\+([0-9]+))?)?\}|[0-9a-f]+|./g;

if (argv.length !== 4) {
  console.error("usage: node scenarios.mjs MODULE.wasm SCENARIOS.json");
  exit(2);
}
const started = performance.now();
const module = await EpmdModule.load(await readFile(argv[2]));
console.log(`module started in ${Math.round(performance.now() - started)} ms`);
const scenarios = JSON.parse(await readFile(argv[3], "utf8"));
if (!Array.isArray(scenarios) || scenarios.length === 0) {
  console.error(`${argv[3]} holds no scenarios`);
  exit(2);
}

const areas = new Map(); // area to {played, passed, skipped}
const differences = [];
for (const scenario of scenarios) {
  const area = areas.get(scenario.area) ?? {played: 0, passed: 0, skipped: 0};
  areas.set(scenario.area, area);
  if (!possible(scenario)) {
    area.skipped++;
    continue;
  }
  area.played++;
  const errors = [scenario, ...(scenario.differs ?? [])].map(({steps}) => attempt(scenario, steps));
  if (errors.some((e) => e === null)) area.passed++;
  else differences.push(`${scenario.name}: ${errors[0].message}`);
}
report();

/** Says whether the module has what a scenario asks for: it has no program and no addresses. */
function possible({daemon, quiet, steps, differs}) {
  const flags = (daemon.flags ?? []).filter((f) => f !== "-relaxed_command_check");
  if (flags.length > 0 || daemon.env || daemon.portByEnv || daemon.files || daemon.takenGrace || quiet) return false;
  const all = [steps, ...(differs ?? []).map((v) => v.steps)].flat();
  return all.every((s) => !s.run && !s.refused && !s.route?.to && (s.route?.from ?? "outside") === "outside");
}

/** Plays steps against a fresh daemon; gives the error where it differs, or null. */
function attempt(scenario, steps) {
  const relaxed = (scenario.daemon.flags ?? []).length > 0;
  const multiTransport = scenario.daemon.multiTransport ?? false;
  const daemon = module.daemon({port: PORT, relaxed, multiTransport});
  const target = {daemon, conns: new Map(), byId: new Map(), ended: false};
  const bound = {wide: new Map(), narrow: new Map()};
  try {
    steps.forEach((step, i) => {
      try {
        playStep(target, step, bound);
      } catch (e) {
        throw new Error(`step ${i + 1}, connection ${step.conn}: ${e.message}`);
      }
    });
  } catch (e) {
    return e;
  } finally {
    daemon.delete();
  }
  return null;
}

function playStep(target, step, bound) {
  for (const id of target.daemon.advance(Math.round((step.sleep ?? 0) * 1000))) {
    target.byId.get(id).closed = true;
  }
  if (step.exits !== undefined) {
    if (!target.ended || step.exits !== 0) throw new Error("the daemon has not ended as it should");
    return;
  }
  if (!step.conn) return;
  if (step.open && target.conns.has(step.conn)) {
    leave(target, target.conns.get(step.conn));
    target.conns.delete(step.conn);
  }
  const c = connection(target, step.conn, !step.route);
  (step.send ?? []).forEach((segment) => arrive(target, c, bytes(segment)));
  if (step.halfclose || step.close || step.reset) leave(target, c);
  if (step.close || step.reset) target.conns.delete(step.conn); // the name is free for another
  if (!step.then) return;
  const got = c.got;
  c.got = "";
  match(step.recv ?? "", got, bound);
  if (c.closed !== (step.then === "closed")) {
    throw new Error(`got ${got}, and then closed is ${c.closed}, expected "${step.then}"`);
  }
}

function connection(target, name, local) {
  if (!target.conns.has(name)) {
    const c = {id: target.daemon.open({local}), got: "", closed: false, left: false};
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
 * {creation:x} and {creation2:x} for a creation of 4 or 2 bytes, bound to a name where it
 * first stands, {creation:x+1} for one more, {first:x} for one that is new, {fd} for
 * decimal digits, {port} for the daemon's port in 4 bytes, {length} for 2 bytes that tell
 * how many follow, and {anything} for the rest.
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
      case "fd": {
        const digits = /^(3[0-9])+/.exec(got.slice(at));
        if (digits === null) differ(part);
        at += digits[0].length;
        break;
      }
      case "anything":
        at = got.length;
        break;
      case "port":
        if (number(8, part) !== PORT) differ(part);
        break;
      case "length":
        if (number(4, part) !== (got.length - at) / 2) differ(part);
        break;
      case "creation":
      case "first":
        if (!creation(bound.wide, name, plus, number(8, part), (x, n) => (x + n) >>> 0)) differ(part);
        break;
      case "creation2":
        if (!narrow(bound, name, plus, number(4, part))) differ(part);
        break;
    }
  }
  if (at < got.length) differ("the end");
}

/** A creation of 2 bytes: the counter modulo 3, plus 1, of which 4 bytes may be known. */
function narrow(bound, name, plus, got) {
  const wide = bound.wide.get(name);
  if (wide !== undefined) return got === ((wide + Number(plus ?? 0)) % 3) + 1;
  return creation(bound.narrow, name, plus, got, (x, n) => ((x - 1 + n) % 3) + 1);
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
  const line = (name, {played, passed, skipped}) =>
    console.log(name.padEnd(16) + [played, passed, skipped].map((n) => String(n).padStart(8)).join(""));
  console.log("\narea".padEnd(17) + "  played  passed skipped");
  const sum = {played: 0, passed: 0, skipped: 0};
  for (const [name, counts] of [...areas].sort(([a], [b]) => (a < b ? -1 : 1))) {
    line(name, counts);
    for (const k of Object.keys(sum)) sum[k] += counts[k];
  }
  line("all", sum);
  console.log("skipped: what takes a program, an address or the passing of time");
  for (const d of differences) console.error(`DIFFERS ${d}`);
  console.log(`${sum.passed} passed, ${differences.length} failed, ${sum.skipped} skipped`);
  exit(differences.length === 0 && sum.played > 0 ? 0 : 1);
}
