// Bytes on the page: a strip of coloured blocks, one for each field, and below it
// what each field says.
import { glyph, hex, visible } from "./bytes.js";
import { labels } from "./fields.js";
import { el } from "./dom.js";

const whole = 48; // a field of more bytes shows its head and its end
const head = 20;
const foot = 6;
const maxFields = 120; // the rest of a long list is counted

// show draws a decoded message into a container. cuts are the offsets at which
// segments end. onCut(offset), if given, makes the gaps between bytes buttons, from
// the offset `from` on.
export function show(container, bytes, decoded, { cuts = [], from = 0, onCut = null } = {}) {
  container.replaceChildren();
  if (bytes.length === 0) return;
  const fields = decoded.fields.slice(0, maxFields);
  const strip = el("div", { className: "strip" });
  const options = { cuts: new Set(cuts), from, onCut };
  for (const [i, f] of fields.entries()) strip.append(block(f, i, bytes, options));
  const facts = el("ul", { className: "facts" });
  for (const [i, f] of fields.entries()) if (f.id !== "words" || f.note !== "") facts.append(fact(f, i));
  const left = decoded.fields.length - fields.length;
  if (left > 0) facts.append(el("li", { className: "hint" }, `and ${left} fields more`));
  container.append(strip, facts);
  link(container);
  if (onCut) rove(strip);
}

function block(f, i, bytes, options) {
  const cells = el("span", { className: "cells" });
  const fill = (all) => {
    cells.replaceChildren();
    for (let at = f.from; at < f.to; at++) {
      if (!all && at === f.from + head) {
        const left = f.to - foot - at;
        const more = el("button", { type: "button", className: "more", ariaLabel: `show ${left} bytes more of ${labels[f.id]}` }, `… ${left} …`);
        more.addEventListener("click", () => fill(true));
        cells.append(more);
        at = f.to - foot;
      }
      cells.append(...cell(bytes, at, options));
    }
  };
  const inside = [...options.cuts].some((c) => c > f.from && c < f.to);
  fill(f.to - f.from <= whole || inside);
  const name = el("span", { className: "label" }, labels[f.id]);
  return el("span", { className: `block ${f.id} ${f.level}`, dataset: { field: i } }, name, cells);
}

function cell(bytes, at, { cuts, from, onCut }) {
  const byte = el("span", { className: at < from ? "byte sent" : "byte" }, hex(bytes[at]), el("i", { ariaHidden: "true" }, glyph(bytes[at])));
  const cut = cuts.has(at);
  if (onCut && at > from) {
    const gap = el("button", { type: "button", className: "gap", tabIndex: -1, title: "cut here", dataset: { at } });
    gap.setAttribute("aria-label", `cut before byte ${at}`);
    gap.setAttribute("aria-pressed", String(cut));
    gap.addEventListener("click", () => onCut(at));
    return [gap, byte];
  }
  return cut ? [el("span", { className: "gap cut", title: "a segment ends here" }), byte] : [byte];
}

const marks = { close: "closes", refuse: "refused", wait: "incomplete", ignored: "ignored" };

function fact(f, i) {
  const name = el("b", { className: f.id }, labels[f.id]);
  const mark = f.level ? el("em", { className: f.level }, marks[f.level]) : null;
  return el("li", { dataset: { field: i } }, name, el("code", {}, visible(f.value) || "–"), el("span", {}, visible(f.note), mark ? " " : "", mark ?? ""));
}

// link lights up a field's block and its line together.
function link(container) {
  const light = (event) => {
    const i = event.type === "mouseleave" ? null : event.target.closest("[data-field]")?.dataset.field;
    for (const e of container.querySelectorAll("[data-field]")) e.classList.toggle("lit", e.dataset.field === i);
  };
  container.onmouseover = light;
  container.onmouseleave = light;
  container.onfocusin = light;
}

// rove makes the gaps one stop of the tab key, within which the arrows move.
function rove(strip) {
  const gaps = () => [...strip.querySelectorAll("button.gap")];
  const first = gaps()[0];
  if (first) first.tabIndex = 0;
  strip.setAttribute("role", "group");
  strip.setAttribute("aria-label", "The bytes; the arrow keys go from gap to gap, Enter cuts");
  strip.addEventListener("keydown", (event) => {
    const all = gaps();
    const at = all.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || !all[to]) return;
    event.preventDefault();
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  });
}
