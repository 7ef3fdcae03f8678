// The parts of the page that show how things stand.
import { parseHex, show as showName } from "./bytes.js";
import { byId, el } from "./dom.js";
import { decodeHeld, decodeReply, decodeSent } from "./fields.js";
import { clip, clock, count, gist, outcome, step, topic } from "./say.js";
import { show } from "./view.js";

// answer shows what came of a segment; nothing was sent yet if there is none.
export function answer(e) {
  const verdict = byId("verdict");
  if (!e) {
    verdict.replaceChildren("Nothing has been sent yet.");
    return byId("reply").replaceChildren();
  }
  const o = outcome(e.do === "send" ? e : { ...e, failed: e.failed ?? "" });
  verdict.replaceChildren(badge(e.conn), pill(o.kind), ` ${o.text}`);
  reply(byId("reply"), e);
}

function reply(container, e) {
  const bytes = e.reply ?? new Uint8Array();
  const decoded = decodeReply(e.tag, bytes);
  show(container, bytes, decoded);
  if (bytes.length > 0) container.prepend(el("p", { className: "hint" }, `${decoded.message}, ${count(bytes.length, "byte")}`));
}

function badge(conn) {
  return el("span", { className: "badge", title: `connection ${conn}` }, el("span", { className: "unseen" }, "connection "), String(conn ?? "–"));
}

function pill(kind) {
  return el("span", { className: `pill ${kind}` }, kind);
}

// nameOf is a node's name, from its bytes.
function nameOf(node) {
  return showName(parseHex(node.nameHex).bytes);
}

// registry shows who is registered and whose name is remembered.
export function registry({ nodes, old }) {
  byId("count").textContent = count(nodes.length, "node");
  const parts = [];
  if (nodes.length > 0) parts.push(table("Registered, the most recent first", nodes, false));
  else parts.push(el("p", { className: "hint" }, "No node is registered."));
  if (old.length > 0) parts.push(table("Remembered, the oldest first", old, true));
  byId("registry").replaceChildren(...parts);
}

const most = 100; // lines of a table on the page

function table(title, nodes, old) {
  const head = el("tr", {}, ...["Name", "Port", "Creation", "On"].map((t) => el("th", { scope: "col" }, t)));
  const rows = nodes.slice(0, most).flatMap((n) => [row(n, old), ...(n.transports ?? []).map((t) => transport(t, old))]);
  const caption = el("caption", {}, nodes.length > most ? `${title}; ${most} of ${nodes.length}` : title);
  return el("table", { className: old ? "old" : "" }, caption, el("thead", {}, head), el("tbody", {}, ...rows));
}

function row(n, old) {
  const extra = n.extraHex ? ` · extra ${clip(n.extraHex)}` : "";
  const of = n.transports ? count(n.transports.length, "transport") : `protocol ${n.protocol}`;
  const more = `type ${n.type} · ${of} · versions ${n.lowest}–${n.highest}${extra}`;
  const name = nameOf(n);
  return el("tr", {},
    el("td", {}, el("bdi", { className: "nodename", title: name.length > 40 ? name : "" }, name ? clip(name) : "(empty)"), el("small", {}, more)),
    el("td", { className: "num" }, n.transports ? "" : String(n.port)),
    el("td", { className: "num" }, String(n.creation), el("small", {}, n.creation === n.counter ? "" : `counter ${n.counter}`)),
    el("td", { className: "num" }, n.transports ? "" : old ? "–" : badge(n.owner)));
}

// transport is the row of one transport, below that of its node.
function transport(t, old) {
  const name = nameOf(t);
  return el("tr", { className: "transport" },
    el("td", {}, el("bdi", { title: name.length > 40 ? name : "" }, name ? clip(name) : "(none)")),
    el("td", { className: "num" }, String(t.port)),
    el("td", {}),
    el("td", { className: "num" }, old ? "–" : badge(t.owner)));
}

// connections shows them, with a button to close each: close(id).
export function connections({ conns, nodes, now, stopped }, close) {
  const items = conns.map((c) => {
    const held = nodes.flatMap((n) => holds(n, c.id));
    const b = el("button", { type: "button", className: "small" }, c.state === "closed" ? "Forget" : "Close");
    b.setAttribute("aria-label", `${b.textContent} connection ${c.id}`);
    b.disabled = stopped;
    b.addEventListener("click", () => close(c.id));
    return el("li", { className: c.state, dataset: { conn: c.id } },
      badge(c.id), pill(c.state),
      el("span", { className: "what" }, `${c.local ? "local" : "remote"} · ${doing(c, held, now)}`), b);
  });
  byId("conns").replaceChildren(...(items.length > 0 ? items : [el("li", { className: "hint" }, "None is open.")]));
}

// holds is what a connection holds of a node, as a list of at most one text.
function holds(n, id) {
  if (!n.transports) return n.owner === id ? [clip(nameOf(n))] : [];
  const own = n.transports.filter((t) => t.owner === id).map((t) => clip(nameOf(t)) || "(none)");
  return own.length > 0 ? [`${clip(nameOf(n))} by ${own.join(", ")}`] : [];
}

function doing(c, held, now) {
  const more = c.takesMore ? ` · takes more${c.buffered > 0 ? `, ${count(c.buffered, "byte")} so far` : ""}` : "";
  switch (c.state) {
    case "kept":
      return (held.length > 0 ? `holds ${held.join("; ")}` : "its name was stopped") + more;
    case "refused":
      return `open, holds nothing${more}`;
    case "closed":
      return "by the daemon";
    default: {
      const left = c.deadline > 0 ? ` · ${Math.ceil((c.deadline - now) / 1000)} s left` : "";
      return `${count(c.buffered, "byte")} so far · reads ${c.want} at most${left}`;
    }
  }
}

// daemon shows the clock and the settings.
export function daemon(state, settings) {
  byId("clock").textContent = `${clock(state.now)} UTC${state.stopped ? " · ended" : ""}`;
  byId("s-relaxed").checked = settings.relaxed;
  byId("s-restarts").checked = settings.restarts;
  byId("s-multi").checked = settings.multi;
  for (const key of ["port", "timeout", "remember"]) byId(`s-${key}`).value = settings[key];
}

// targets lists where one can send to. chosen is kept, if it is still there.
export function targets({ conns }, chosen = byId("target").value) {
  const options = [
    ["local", "a new local connection"],
    ["remote", "a new remote connection"],
    ...conns.filter((c) => c.state !== "closed").map((c) => [String(c.id), `connection ${c.id} (${c.local ? "local" : "remote"}, ${c.state})`]),
  ];
  byId("target").replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
  byId("target").value = options.some(([value]) => value === chosen) ? chosen : "local";
}

// log adds the entries that are not shown yet.
export function log(entries) {
  const list = byId("log");
  for (const e of entries.slice(list.children.length)) list.append(e.do === "send" ? exchange(e) : event(e));
  if (entries.length > 0) list.scrollTop = list.scrollHeight;
}

function event(e) {
  const who = e.conn ? badge(e.conn) : el("span", { className: "badge time", ariaHidden: "true" }, "⏱");
  return el("li", { className: `event ${e.do}` }, who, el("span", {}, step(e)));
}

function exchange(e) {
  const o = outcome(e);
  const reply = gist(e);
  const summary = el("summary", {}, badge(e.conn),
    el("span", { className: "asks" }, el("span", { className: "arrow", ariaHidden: "true" }, "→ "), topic(e)),
    el("span", { className: "gets" }, reply ? `← ${reply}` : ""), pill(o.kind));
  const details = el("details", {}, summary);
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(both(e, o)), { once: true });
  return el("li", { className: "exchange" }, details);
}

// both is the request and the reply of an entry, in full.
function both(e, o) {
  const asked = el("div", {});
  const bytes = e.failed ? e.sent : e.request;
  const ends = e.failed ? [e.sent.length] : e.ends;
  show(asked, bytes, e.failed ? decodeHeld(bytes) : decodeSent(bytes, ends, e), { cuts: ends.slice(0, -1) });
  const answered = el("div", {});
  if (!e.failed) reply(answered, e);
  return el("div", { className: "both" }, asked, el("div", {}, el("p", {}, o.text), answered));
}

// examples makes their buttons.
export function examples(list, play) {
  byId("examples").replaceChildren(...list.map((x) => {
    const b = el("button", { type: "button" }, x.title);
    b.addEventListener("click", () => play(x));
    return el("li", {}, b);
  }));
}
