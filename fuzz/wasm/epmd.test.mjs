// Tests of epmd.mjs, for Node:
//
//   EPMD_WASM=bin/epmd.wasm node --test fuzz/wasm/epmd.test.mjs

import assert from "node:assert/strict";
import {readFile} from "node:fs/promises";
import {env} from "node:process";
import test from "node:test";
import {ABI_VERSION, EpmdError, EpmdModule} from "./epmd.mjs";

const NOW = 1_700_000_000_000;
const FOO = Uint8Array.of(0, 16, 0x78, 3, 0xe8, 0x4d, 0, 0, 6, 0, 5, 0, 3, 0x66, 0x6f, 0x6f, 0, 0);
const KILL = Uint8Array.of(0, 1, 0x6b);
const STOP_FOO = Uint8Array.of(0, 4, 0x73, 0x66, 0x6f, 0x6f);

const bytes = await readFile(env.EPMD_WASM);
const mod = await EpmdModule.load(bytes);

const code = (n) => (e) => e instanceof EpmdError && e.code === n && e.message !== "";

test("a node registers, leaves and is remembered", () => {
  const d = mod.daemon({port: 4369, nowMs: NOW});
  const c = d.open({local: true});
  assert.equal(d.want(c), 3059);
  assert.deepEqual(d.feed(c, FOO.subarray(0, 6)),
    {verdict: "more", reply: new Uint8Array(), used: 6, tag: 0, error: "", evicted: []});
  assert.equal(d.want(c), 12);
  assert.deepEqual(d.feed(c, FOO.subarray(6)),
    {verdict: "keep", reply: Uint8Array.of(118, 0, 0x65, 0x53, 0xf1, 1), used: 12, tag: 120, error: "", evicted: []});
  const node = {
    name: "foo", nameHex: "666f6f", port: 1000, type: 77, protocol: 0, highest: 6, lowest: 5,
    extraHex: "", creation: 1_700_000_001, counter: 1_700_000_001, owner: c, since: NOW,
  };
  const conn = {id: c, local: true, state: "kept", want: 3060, buffered: 0, deadline: 0};
  assert.deepEqual(d.state(), {now: NOW, port: 4369, stopped: false, nodes: [node], old: [], conns: [conn]});
  d.end(c);
  assert.deepEqual(d.state(), {now: NOW, port: 4369, stopped: false, nodes: [], old: [node], conns: []});
  d.delete();
});

test("a slow connection is closed", () => {
  const d = mod.daemon({packetTimeoutMs: 1000, nowMs: NOW});
  const c = d.open();
  assert.deepEqual(d.advance(999), []);
  assert.equal(d.state().conns[0].deadline, NOW + 1000);
  assert.deepEqual(d.advance(1), [c]);
  assert.equal(d.state().conns[0].state, "closed");
  assert.match(d.feed(c, FOO).error, /ended/);
  d.delete();
});

test("a chunk starts the time again if it is told to", () => {
  const d = mod.daemon({packetTimeoutMs: 1000, timeoutRestarts: true});
  const c = d.open();
  d.advance(600);
  d.feed(c, FOO.subarray(0, 1));
  assert.deepEqual(d.advance(999), []);
  assert.deepEqual(d.advance(1), [c]);
  d.delete();
});

test("STOP_REQ closes the connection of another", () => {
  const d = mod.daemon({relaxed: true});
  const c = d.open();
  d.feed(c, FOO);
  const res = d.feed(d.open(), STOP_FOO);
  assert.equal(res.verdict, "close");
  assert.equal(new TextDecoder().decode(res.reply), "STOPPED");
  assert.deepEqual(res.evicted, [c]);
  d.delete();
});

test("a node has several transports, each with its connection", () => {
  const tls = (name) => Uint8Array.of(0, 17, 0x58, 3, 0xe9, 0x4d, 3, 0x74, 0x6c, 0x73, 0, 6, 0, 5, 0, 1, name, 0, 0);
  const tcp = Uint8Array.of(0, 17, 0x58, 3, 0xe8, 0x4d, 3, 0x74, 0x63, 0x70, 0, 6, 0, 5, 0, 1, 0x73, 0, 0);
  const d = mod.daemon({multiTransport: true, nowMs: NOW});
  const [a, b] = [d.open(), d.open()];
  assert.deepEqual(d.feed(a, tcp),
    {verdict: "keep", reply: Uint8Array.of(0, 6, 118, 0, 0x65, 0x53, 0xf1, 1), used: 19, tag: 88, error: "", evicted: []});
  d.feed(b, tls(0x73));
  assert.deepEqual(d.state().nodes[0].transports, [
    {name: "tcp", nameHex: "746370", port: 1000, owner: a, since: NOW},
    {name: "tls", nameHex: "746c73", port: 1001, owner: b, since: NOW},
  ]);
  assert.deepEqual(d.state().conns.map((c) => c.takesMore), [true, true]);
  assert.equal(d.want(a), 3);
  assert.equal(d.feed(a, tls(0x74).subarray(0, 3)).verdict, "more");
  assert.equal(d.feed(a, tls(0x74).subarray(3)).verdict, "keep");
  d.end(a);
  assert.deepEqual(d.state().nodes.map((n) => [n.name, n.port, n.transports.length]), [["s", 1001, 1]]);
  const asks = Uint8Array.of(0, 11, 0x5a, 0, 1, 0, 4, 3, 0x74, 0x6c, 0x73, 1, 0x73); // PORT_PLEASE3_REQ
  const {reply} = d.feed(d.open({local: false}), asks);
  assert.deepEqual(reply.subarray(2, 15), Uint8Array.of(119, 0, 0, 0, 1, 0, 6, 3, 0xe9, 3, 0x74, 0x6c, 0x73));
  d.delete();

  const plain = mod.daemon();
  assert.match(plain.feed(plain.open(), tcp).error, /tag/);
  plain.delete();
});

test("other machines may not register, and all is explained", () => {
  const d = mod.daemon();
  const res = d.feed(d.open({local: false}), FOO);
  assert.equal(res.verdict, "close");
  assert.match(res.error, /local peers only/);
  d.delete();
});

test("only so many names are remembered", () => {
  const d = mod.daemon({remember: -1, nowMs: NOW});
  for (const letter of [0x61, 0x62]) {
    const c = d.open();
    const alive = Uint8Array.from(FOO);
    alive[13] = letter;
    d.feed(c, alive);
    d.end(c);
  }
  assert.deepEqual(d.state().old.map((n) => n.name), ["boo"]);
  d.delete();
});

test("calls are refused by name", () => {
  const d = mod.daemon();
  assert.throws(() => d.want(7), code(-2));
  assert.throws(() => d.end(1.5), code(-4));
  assert.throws(() => d.feed(2 ** 32, FOO), code(-4));
  assert.throws(() => d.advance(-1), code(-4));
  assert.throws(() => d.advance(NaN), code(-4));
  assert.throws(() => mod.daemon({port: 65536}), code(-4));
  assert.throws(() => mod.daemon({port: "4369"}), code(-4));
  assert.equal(d.feed(d.open(), KILL).verdict, "stop");
  assert.equal(d.state().stopped, true);
  assert.throws(() => d.open(), code(-5));
  d.delete();
  assert.throws(() => d.state(), code(-1));
});

test("a chunk of any size", () => {
  const d = mod.daemon();
  assert.equal(d.feed(d.open(), new Uint8Array()).verdict, "more");
  assert.equal(d.feed(d.open(), new Uint8Array(1 << 20)).used, 3059);
  d.delete();
});

test("many daemons come and go", () => {
  const d = mod.daemon();
  for (let i = 0; i < 5000; i++) {
    const other = mod.daemon();
    other.feed(other.open(), FOO);
    assert.equal(other.state().nodes.length, 1);
    other.delete();
  }
  assert.deepEqual(d.state().nodes, []);
  d.delete();
});

test("what is no such module is refused", async () => {
  await assert.rejects(EpmdModule.load(Uint8Array.of(1, 2, 3)));
  await assert.rejects(EpmdModule.load(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)));
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  assert.equal((await EpmdModule.load(copy)).abiVersion, ABI_VERSION);
});
