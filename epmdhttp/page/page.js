"use strict";
// The page lives by ./events: a snapshot, changes to it, and figures each second. It holds
// all nodes in a map, and no more rows than fit a few screens.

const $ = (selector) => document.querySelector(selector);
const rowsAtOnce = 100; // rows that are shown, until more are asked for
const eventsKept = 100;
const mostNodes = 20000; // that the daemon gives
const moments = 120, fewMoments = 40; // that a plot shows, at most and at least
const silence = 6000; // ms without a sign of life until the connection counts as lost

const nodes = new Map(); // by name
const coming = []; // those of a snapshot that is not complete
let capped = false; // there are more nodes than the daemon gives
let figures = {}, shown = rowsAtOnce, sort = { key: "since", down: true };
let skew = 0; // ms that the daemon's clock is ahead of this one

// ---- small helpers

// make makes an element with a class and a text, or children.
const make = (tag, cls, ...children) => {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  e.append(...children);
  return e;
};
const setText = (e, text) => { if (e.textContent !== text) e.textContent = text; };
const number = (n) => n.toLocaleString("en", { maximumFractionDigits: n < 10 ? 1 : 0 });
const plural = (n, one) => number(n) + " " + one + (n === 1 ? "" : "s");

// ago is how long ago a time is, in its largest unit.
const ago = (ms) => {
  const s = Math.max(0, Math.floor((Date.now() + skew - ms) / 1000));
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor((s % 86400) / 3600) + " h";
};
const two = (n) => String(n).padStart(2, "0");
const clock = (ms) => { const d = new Date(ms); return [d.getHours(), d.getMinutes(), d.getSeconds()].map(two).join(":"); };
const exactly = (ms) => { const d = new Date(ms); return d.getFullYear() + "-" + two(d.getMonth() + 1) + "-" + two(d.getDate()) + " " + clock(ms); };

// plain is a text in one line that does what it looks like wherever it is pasted, such as
// in a shell: what breaks lines, moves a cursor or hides is written as Erlang does it.
const plain = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => "\\x{" + c.codePointAt(0).toString(16) + "}");

// copy puts a text on the clipboard, also where a page over plain HTTP has none.
async function copy(text, button, what) {
  let ok = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", "unseen", text);
    document.body.append(area);
    area.select();
    ok = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  setText($("#said"), ok ? what + " copied" : "the browser does not let this page copy");
  if (!ok) return;
  button.dataset.label ??= button.textContent;
  button.textContent = button.dataset.label === "copy" ? "copied" : "Copied";
  button.classList.add("done");
  setTimeout(() => { button.textContent = button.dataset.label; button.classList.remove("done"); }, 1500);
}

// ---- the nodes

// keep makes of a node what the table needs.
const keep = (n, fresh) => ({
  ...n,
  fresh,
  time: Date.parse(n.since),
  words: [n.name, n.type, ...n.transports.flatMap((t) => [t.name, t.port, t.from])].filter(Boolean).join(" ").toLowerCase(),
});

const sortKeys = {
  name: (n) => n.name,
  port: (n) => n.transports[0].port,
  type: (n) => n.type,
  versions: (n) => n.highest,
  creation: (n) => n.creation,
  since: (n) => n.time,
  from: (n) => n.transports[0].from ?? "",
};

// listed are the nodes that the filter lets through, in order.
function listed() {
  const words = $("#words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const key = sortKeys[sort.key];
  const list = [...nodes.values()].filter((n) => words.every((w) => n.words.includes(w)));
  const sign = sort.down ? -1 : 1;
  return list.sort((a, b) => {
    const x = key(a), y = key(b);
    return x < y ? -sign : x > y ? sign : a.name < b.name ? -1 : 1;
  });
}

const rows = new Map(); // by name: the node and its element

const cell = (label, cls, ...children) => {
  const td = make("td", cls, ...children);
  td.dataset.label = label;
  return td;
};

// several shows a value of each transport, with its name where it has one.
const several = (n, value) => n.transports.flatMap((t, i) => {
  const parts = i ? [document.createElement("br")] : [];
  parts.push(String(value(t)));
  if (t.name) parts.push(make("small", "", t.name));
  return parts;
});

function rowOf(n) {
  const button = make("button", "copy", "copy");
  button.type = "button";
  button.title = "copy the name";
  button.setAttribute("aria-label", "copy the name " + n.name);
  button.addEventListener("click", () => copy(plain(n.name), button, n.name));
  const time = make("time");
  time.dateTime = n.since;
  time.title = exactly(n.time);
  const creation = cell("creation", "num", String(n.creation));
  if (n.extra) creation.title = "extra: " + n.extra;
  const tr = make("tr", n.fresh ? "fresh" : "",
    cell("name", "", make("span", "name", n.name), button),
    cell("port", "num", ...several(n, (t) => t.port)),
    cell("type", "", n.type),
    cell("versions", "num", n.lowest === n.highest ? String(n.lowest) : n.lowest + "–" + n.highest),
    creation,
    cell("since", "", time),
    cell("from", "from", ...several(n, (t) => t.from ?? "–")),
  );
  n.fresh = false;
  tr.dataset.name = n.name;
  return tr;
}

// draw shows the nodes. Rows that stay are left alone, and so is the focus in them.
function draw() {
  const list = listed();
  const body = $("tbody");
  const want = list.slice(0, shown);
  const names = new Set(want.map((n) => n.name));
  for (const [name, row] of rows) {
    if (!names.has(name)) {
      row.element.remove();
      rows.delete(name);
    }
  }
  let at = body.firstChild;
  for (const n of want) {
    let row = rows.get(n.name);
    if (row?.node !== n) {
      const element = rowOf(n);
      if (row) {
        if (at === row.element) at = element;
        row.element.replaceWith(element);
      }
      row = { node: n, element };
      rows.set(n.name, row);
    }
    if (row.element === at) at = at.nextSibling;
    else body.insertBefore(row.element, at);
  }
  const total = capped ? Math.max(nodes.size, figures.epmd_nodes ?? 0) : nodes.size;
  const filtered = list.length !== nodes.size;
  setText($("#shown"), filtered ? number(list.length) + " of " + plural(total, "node") :
    nodes.size < total ? "the newest " + number(nodes.size) + " of " + plural(total, "node") : plural(total, "node"));
  $("#none").hidden = list.length > 0;
  setText($("#none"), nodes.size ? "No node fits the filter." : "No node is registered.");
  $("#more").hidden = list.length <= shown;
  setText($("#more"), "Show more: " + number(list.length - shown) + " are left");
  drawTimes();
}

function drawTimes() {
  const exact = $("#exact").checked;
  for (const { node, element } of rows.values()) {
    setText(element.querySelector("time"), exact ? exactly(node.time) : ago(node.time));
  }
}

// soon draws with the next frame, once.
let drawing = false;
function soon() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => { drawing = false; draw(); }, 50);
}

// ---- the events

let paused = false;
const waiting = [];
const signs = { registered: "+", unregistered: "–", refused: "✕" };
const reasons = {
  closed: "its connection ended", data: "it sent something", stopped: "stopped by force", unanswered: "it could not be answered",
  shutdown: "the daemon ended", taken: "the name is taken", not_admitted: "the program does not admit the node",
};

function tellEvents(list) {
  if (paused) {
    waiting.push(...list);
    waiting.splice(0, waiting.length - eventsKept);
    return;
  }
  const ol = $("#events ol");
  for (const { kind, text, name, at } of list.slice(-eventsKept)) {
    const time = make("time", "", clock(at));
    time.dateTime = new Date(at).toISOString();
    time.title = exactly(at);
    ol.prepend(make("li", kind, make("i", "", signs[kind] ?? "·"), make("span", "name", name), make("small", "", time), make("small", "what", text)));
  }
  while (ol.children.length > eventsKept) ol.lastChild.remove();
  $("#quiet").hidden = true;
}

// change brings the nodes up to date with one event, and gives what to tell of it.
function change(c) {
  const n = c.node, t = n.transports[0], old = nodes.get(n.name);
  let where = t.from;
  if (c.kind === "registered") {
    const others = old?.transports.filter((o) => o.name !== t.name) ?? [];
    nodes.set(n.name, keep({ ...n, since: old?.since ?? n.since, transports: [...others, t] }, true));
  } else if (c.kind === "unregistered" && old) {
    where = old.transports.find((o) => o.owner === t.owner)?.from;
    const left = old.transports.filter((o) => o.name !== t.name);
    if (c.left && left.length) nodes.set(n.name, keep({ ...old, transports: left }));
    else nodes.delete(n.name);
  }
  const text = [c.kind + (t.name ? " " + t.name : ""), c.why && (reasons[c.why] ?? c.why), c.kind === "registered" && "port " + t.port, where && "from " + where];
  return { kind: c.kind, name: n.name, at: Date.parse(c.time), text: text.filter(Boolean).join(" · ") };
}

// ---- the figures

const history = { nodes: [], lookups: [], registrations: [], latency: [] };
const past = []; // figures of the last seconds, with their times

const sum = (f, prefix) => Object.entries(f).reduce((s, [k, v]) => (k.startsWith(prefix) ? s + v : s), 0);
const lookups = (f) => sum(f, 'epmd_requests_total{kind="PORT_PLEASE');
const bucket = /^epmd_request_duration_seconds_bucket\{le="(.+)"\}$/;

// quantile is the bound below which a part of the requests between two figures were
// answered, in seconds; undefined if there were none.
function quantile(before, now, part) {
  const list = [];
  for (const [k, v] of Object.entries(now)) {
    const le = bucket.exec(k)?.[1];
    if (le) list.push([le === "+Inf" ? Infinity : Number(le), v - (before[k] ?? 0)]);
  }
  list.sort((a, b) => a[0] - b[0]);
  const all = list.at(-1)?.[1] ?? 0;
  return all > 0 ? list.find(([, n]) => n >= part * all)[0] : undefined;
}
const duration = (s) => (s === Infinity ? "> 8 s" : s < 1e-3 ? "≤ " + number(s * 1e6) + " µs" : s < 1 ? "≤ " + number(s * 1e3) + " ms" : "≤ " + number(s) + " s");

// plot draws the last moments, newest at the right.
function plot(svg, values) {
  const top = Math.max(...values.filter((v) => v !== undefined && v !== Infinity), 0) || 1;
  const width = Math.max(values.length, fewMoments) - 1;
  svg.setAttribute("viewBox", "0 0 " + width + " 38");
  const points = values.map((v, i) => [width - values.length + 1 + i, 37 - (Math.min(v ?? 0, top) / top) * 32]);
  const line = points.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ");
  for (const tag of ["polygon", "polyline"]) {
    let e = svg.querySelector(tag);
    if (!e) svg.append((e = document.createElementNS("http://www.w3.org/2000/svg", tag)));
    e.setAttribute("points", tag === "polyline" || !points.length ? line : points[0][0] + ",38 " + line + " " + width + ",38");
  }
}

function tile(name, value, aside, big) {
  const list = history[name];
  list.push(value);
  if (list.length > moments) list.shift();
  const e = $('[data-tile="' + name + '"]');
  setText(e.querySelector("b"), big);
  setText(e.querySelector("span"), aside);
  plot(e.querySelector("svg"), list);
}

function takeFigures(f, at) {
  figures = f;
  const last = past.at(-1);
  past.push({ f, at });
  if (past.length > 10) past.shift();
  if (last && at > last.at) {
    const rate = (read) => Math.max(0, (read(f) - read(last.f)) * 1000 / (at - last.at));
    const looked = rate(lookups), registered = rate((x) => x.epmd_registrations_total ?? 0);
    const remembered = f.epmd_remembered_names ?? 0;
    tile("nodes", f.epmd_nodes ?? 0, number(remembered) + " remembered", number(f.epmd_nodes ?? 0));
    tile("lookups", looked, "a second · " + number(lookups(f)) + " in all", number(looked));
    tile("registrations", registered, "a second · " + number(f.epmd_registrations_total ?? 0) + " in all", number(registered));
    const p99 = quantile(past[0].f, f, 0.99), p50 = quantile(past[0].f, f, 0.5);
    tile("latency", p99, p99 === undefined ? "no requests just now" : "for 99 % · half " + duration(p50), p99 === undefined ? "–" : duration(p99));
  }
  drawTrouble(f);
}

// troubles are the metrics that an operator may want to look at, and how to say them.
const troubles = [
  ["epmd_limit_hits_total", (l) => "closed for the limit of " + l],
  ["epmd_accept_errors_total", () => "failures to accept"],
  ["epmd_registrations_refused_total", (l) => "registrations refused: " + (reasons[l] ?? l)],
  ["epmd_connections_failed_total", (l) => "connections failed: " + l.replace("_", " ")],
  ["epmd_hook_panics_total", () => "panics of hooks"],
  ["epmd_faults_total", (l) => "closed for bytes that are no request: " + l],
];

function drawTrouble(f) {
  const list = [];
  for (const [metric, say] of troubles) {
    for (const [k, v] of Object.entries(f)) {
      if (k === metric || k.startsWith(metric + "{")) list.push(number(v) + " " + say(/"(.*)"/.exec(k)?.[1] ?? ""));
    }
  }
  const denied = Object.entries(f).reduce((s, [k, v]) => (k.startsWith("epmd_requests_total") && k.includes('result="denied"') ? s + v : s), 0);
  if (denied) list.push(plural(denied, "request") + " denied");
  const ul = $("#trouble");
  ul.hidden = list.length === 0;
  if (ul.dataset.text === list.join()) return;
  ul.dataset.text = list.join();
  ul.replaceChildren(...list.map((text) => make("li", "", text)));
}

// ---- the connection

let source, watchdog, retry, lostAt = 0;

function heard() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => lose(true), silence);
}

function alive(at) {
  skew = at - Date.now();
  heard();
  if (lostAt || $("#state").dataset.state !== "live") {
    lostAt = 0;
    $("#state").dataset.state = "live";
    setText($("#state"), "live");
    $("#lost").hidden = true;
    document.body.classList.remove("stale");
  }
}

// lose says that the connection is lost, and sees that there is another.
function lose(again) {
  clearTimeout(watchdog);
  if (!lostAt) {
    lostAt = Date.now();
    $("#state").dataset.state = "lost";
    setText($("#state"), "not connected");
    setText($("#lost"), "The connection was lost at " + clock(lostAt) + ": what you see may be old. Trying again…");
    $("#lost").hidden = false;
    document.body.classList.add("stale");
  }
  if (again || source.readyState === EventSource.CLOSED) {
    source.close();
    clearTimeout(retry);
    retry = setTimeout(connect, 2000);
  }
}

function connect() {
  clearTimeout(retry);
  coming.length = 0;
  source = new EventSource("events");
  const on = (kind, f) => source.addEventListener(kind, (e) => {
    const told = JSON.parse(e.data);
    f(told);
    soon();
  });
  on("nodes", (list) => {
    coming.push(...list);
    heard();
  });
  on("snapshot", (d) => {
    const at = Date.parse(d.time);
    nodes.clear();
    for (const n of [...coming.splice(0), ...d.nodes]) nodes.set(n.name, keep(n, false));
    capped = nodes.size >= mostNodes;
    setText($("#about"), d.server.addresses?.length ? "listens on " + d.server.addresses.join(", ") : "does not listen");
    setText($("#version"), "goepmd " + d.server.version);
    document.title = "EPMD" + (d.server.addresses?.length ? " " + d.server.addresses[0] : "");
    takeFigures(d.figures, at);
    alive(at);
    draw();
    document.documentElement.dataset.ready = "yes";
  });
  on("changes", (list) => tellEvents(list.map(change)));
  on("figures", (d) => {
    const at = Date.parse(d.time);
    takeFigures(d.figures, at);
    alive(at);
  });
  source.onerror = () => lose(false);
}

// ---- what the reader does

$("#words").addEventListener("input", () => { shown = rowsAtOnce; draw(); });
$("#exact").addEventListener("change", drawTimes);
$("#more").addEventListener("click", () => { shown += rowsAtOnce; draw(); });
$("#copy-all").addEventListener("click", (e) => {
  const list = listed();
  const lines = list.map((n) => [n.name, n.transports.map((t) => (t.name ? t.name + "=" : "") + t.port).join(","), n.type, n.lowest + "-" + n.highest, String(n.creation), n.since, n.transports[0].from ?? ""].map(plain).join("\t"));
  copy(lines.join("\n") + "\n", e.currentTarget, plural(list.length, "node"));
});
$("#pause").addEventListener("click", (e) => {
  paused = !paused;
  e.currentTarget.setAttribute("aria-pressed", paused);
  if (!paused) tellEvents(waiting.splice(0));
});
for (const th of document.querySelectorAll("th")) {
  th.addEventListener("click", () => {
    sort = { key: th.dataset.key, down: sort.key === th.dataset.key ? !sort.down : th.dataset.key === "since" };
    for (const other of document.querySelectorAll("th")) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    draw();
  });
}
setInterval(drawTimes, 1000);
connect();
