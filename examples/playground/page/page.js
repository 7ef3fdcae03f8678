// The page: what is clicked and typed becomes events of a conversation, and what
// the conversation has come to is shown.
import { EpmdModule } from "./epmd.mjs";
import { concat, formatHex, parseHex } from "./bytes.js";
import { byId } from "./dom.js";
import { examples } from "./examples.js";
import { decodeSent } from "./fields.js";
import * as form from "./form.js";
import * as panels from "./panels.js";
import { bounds, decode, defaults, encode, ranges } from "./share.js";
import { count } from "./say.js";
import { Talk } from "./talk.js";
import { show } from "./view.js";

let module; // the WebAssembly instance
let talk; // the conversation on the page
let byHand = false; // the bytes were typed, and may differ from the form

// begin replaces the conversation by another, played from its start. If it cannot
// be played, the old one stays. What is about to be sent is replaced too, unless it
// is to be kept.
function begin({ settings, events }, keep = false) {
  const next = new Talk(module, settings);
  try {
    for (const e of events) next.play(e);
  } catch (err) {
    next.delete();
    throw err;
  }
  talk?.delete();
  talk = next;
  byId("log").replaceChildren();
  const last = talk.log.findLast((e) => e.do === "send" && !e.failed);
  panels.answer(last);
  if (keep) return refresh();
  if (last) compose(last);
  refresh(last && talk.pending(last.conn).bytes.length > 0 ? String(last.conn) : "local");
}

// compose puts the request of an entry back into the form.
function compose(e) {
  form.offer(e.multi);
  byHand = !form.write(e.request, { anyKind: true, multi: e.multi });
  byId("hex").value = e.verdict === "more" ? "" : formatHex(e.request, e.ends.slice(0, -1));
}

// play lets something happen and shows it.
function play(...events) {
  if (talk.events.length + events.length > bounds.events) {
    alarm(`A conversation has ${bounds.events} steps at most. Reset to begin another.`);
    return [];
  }
  alarm("");
  const entries = events.map((e) => talk.play(e));
  refresh();
  return entries;
}

function open(local) {
  if (talk.conns >= bounds.conns) return alarm(`A conversation has ${bounds.conns} connections at most. Reset to begin another.`), null;
  return play({ do: "open", local })[0] ?? null;
}

// refresh shows what there is now. target, if given, is chosen as where to send.
function refresh(target) {
  const state = talk.state();
  panels.registry(state);
  panels.connections(state, (conn) => play({ do: "close", conn }));
  panels.daemon(state, talk.settings);
  panels.targets(state, target);
  panels.log(talk.log);
  const fragment = talk.events.length > 0 || JSON.stringify(talk.settings) !== JSON.stringify(defaults) ? encode(talk) : "";
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  if (form.offer(talk.settings.multi) && !byHand) fromForm();
  else draft();
}

// draft shows the bytes that would be sent.
function draft() {
  const { bytes, cuts, error } = parseHex(byId("hex").value);
  const target = Number(byId("target").value);
  const conn = talk.conn(target);
  byId("hex").setAttribute("aria-invalid", String(error !== ""));
  if (error) {
    byId("trouble").textContent = `${error}.`;
    byId("draft").replaceChildren();
    return;
  }
  const before = target ? talk.pending(target) : { bytes: new Uint8Array(), ends: [] };
  const all = concat(before.bytes, bytes);
  const from = before.bytes.length;
  const ends = [...before.ends, ...[...cuts, bytes.length].map((c) => c + from)];
  const held = conn && conn.state !== "reading";
  const decoded = decodeSent(all, ends, { held, more: conn?.takesMore, multi: talk.settings.multi });
  const size = `${decoded.message ? `${decoded.message}, ` : ""}${count(all.length, "byte")}`;
  const good = cuts.length > 0 ? `${size} in ${ends.length} segments` : size;
  byId("trouble").textContent = decoded.problems[0]?.text ?? (all.length > 0 ? good : "");
  byId("trouble").dataset.level = decoded.problems[0]?.level ?? "";
  const onCut = (at) => cut(bytes, cuts, at - from);
  show(byId("draft"), all, decoded, { cuts: ends.slice(0, -1), from, onCut });
}

// cut begins or ends a segment at an offset of the bytes that are typed.
function cut(bytes, cuts, at) {
  const next = cuts.includes(at) ? cuts.filter((c) => c !== at) : [...cuts, at].sort((a, b) => a - b);
  byId("hex").value = formatHex(bytes, next);
  draft();
  const gap = [...byId("draft").querySelectorAll("button.gap")].find((g) => Number(g.dataset.at) === at + offset());
  if (!gap) return;
  for (const g of byId("draft").querySelectorAll("button.gap")) g.tabIndex = g === gap ? 0 : -1;
  gap.focus();
}

// offset is how many bytes have arrived before those that are typed.
function offset() {
  return talk.pending(Number(byId("target").value)).bytes.length;
}

function fromForm() {
  byHand = false;
  const { bytes, error } = form.read();
  if (error) {
    byId("trouble").textContent = `${error}.`;
    byId("trouble").dataset.level = "close";
    return;
  }
  byId("hex").value = formatHex(bytes);
  draft();
}

function send() {
  if (!byHand) {
    const { error } = form.read();
    if (error) return fromForm();
  }
  const { bytes, cuts, error } = parseHex(byId("hex").value);
  if (error || bytes.length === 0) return void (byId("trouble").textContent = error ? `${error}.` : "There is nothing to send.");
  if (bytes.length > bounds.bytes) return alarm(`At most ${bounds.bytes} bytes can be sent at once.`);
  if (talk.events.length + cuts.length + 2 > bounds.events) return alarm(`A conversation has ${bounds.events} steps at most. Reset to begin another.`);
  const to = byId("target").value;
  const conn = Number(to) || open(to === "local")?.conn;
  if (!conn) return panels.answer(talk.log.at(-1));
  const parts = [0, ...cuts].map((c, i) => bytes.subarray(c, cuts[i] ?? bytes.length));
  const sent = play(...parts.map((p) => ({ do: "send", conn, bytes: p })));
  panels.answer(sent.findLast((e) => !e.failed && e.verdict !== "more") ?? sent.at(-1));
  const more = talk.pending(conn).bytes.length > 0;
  if (more) {
    byHand = true;
    byId("hex").value = "";
  }
  refresh(more ? String(conn) : undefined);
  byId("verdict").scrollIntoView({ block: "nearest" }); // on a phone it is far below
}

// alarm shows a message that must not be missed; "" takes it away.
function alarm(message) {
  byId("alert").textContent = message;
  byId("alert").hidden = message === "";
}

function note(message) {
  byId("note").textContent = message;
  byId("note").hidden = message === "";
}

// fromFragment plays what the URL says, and reports what it cannot.
function fromFragment() {
  const fragment = location.hash.slice(1);
  const shared = fragment ? decode(fragment) : { settings: { ...defaults }, events: [], error: "" };
  note("");
  alarm(shared.error ? `The link’s conversation cannot be played: ${shared.error}. This is a fresh daemon.` : "");
  begin(shared.error ? { settings: { ...defaults }, events: [] } : shared);
}

// change applies a setting and plays the conversation again.
function change(key, input) {
  let value = input.checked;
  if (key in ranges) {
    const [low, high] = ranges[key];
    value = Number(input.value);
    const good = /^\d{1,10}$/.test(input.value.trim()) && low <= value && value <= high;
    input.setAttribute("aria-invalid", String(!good));
    if (!good) return alarm(`This is a number from ${low} to ${high}.`);
  }
  alarm("");
  begin({ settings: { ...talk.settings, [key]: value }, events: talk.events }, true);
}

async function share() {
  const button = byId("share");
  if (encode(talk) === null) return alarm("This conversation is too long for a link.");
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "It is in the address bar"; // the browser lets nobody write its clipboard
  }
  setTimeout(() => (button.textContent = "Copy link"), 2000);
}

function reset() {
  note("");
  alarm("");
  begin({ settings: { ...talk.settings }, events: [] });
  fromForm();
}

// listen ties the page's elements to what they do.
function listen() {
  byId("compose").addEventListener("submit", (e) => (e.preventDefault(), send()));
  byId("inputs").addEventListener("input", fromForm);
  document.querySelector(".kinds").addEventListener("change", () => (form.choose(form.kind()), fromForm()));
  byId("hex").addEventListener("input", () => {
    byHand = true;
    form.write(parseHex(byId("hex").value).bytes, { multi: talk.settings.multi });
    draft();
  });
  byId("hex").addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
    e.preventDefault();
    send();
  });
  byId("target").addEventListener("change", draft);
  byId("open-local").addEventListener("click", () => open(true));
  byId("open-remote").addEventListener("click", () => open(false));
  for (const b of document.querySelectorAll("[data-advance]")) {
    b.addEventListener("click", () => play({ do: "advance", seconds: Number(b.dataset.advance) }));
  }
  for (const key of ["relaxed", "restarts", "multi", "port", "timeout", "remember"]) {
    byId(`s-${key}`).addEventListener("change", (e) => change(key, e.target));
  }
  byId("share").addEventListener("click", share);
  byId("reset").addEventListener("click", reset);
  window.addEventListener("hashchange", fromFragment);
  panels.examples(examples, (x) => {
    alarm("");
    begin({ settings: { ...defaults, ...x.settings }, events: x.events });
    note(x.note);
  });
}

async function start() {
  const response = await fetch("epmd.wasm");
  if (!response.ok) throw new Error(`epmd.wasm: ${response.status}`);
  module = await EpmdModule.load(await response.arrayBuffer());
  listen();
  form.choose("register");
  byId("hex").value = formatHex(form.read().bytes);
  fromFragment();
  document.documentElement.dataset.ready = "yes";
}

start().catch((err) => {
  alarm(`The daemon cannot be loaded: ${err.message}`);
  byId("verdict").textContent = "There is no daemon.";
});
