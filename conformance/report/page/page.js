// Shows the report that stands in the page as JSON. Texts become text and never
// markup: what targets said may be in them.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const signs = { passed: "✓", deviates: "≈", skipped: "–", failed: "✕", broken: "!" };
  const good = { passed: true, deviates: true, skipped: true };
  const byId = (id) => document.getElementById(id);

  // el makes an element; children that are null are left out.
  function el(name, props, ...children) {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(props ?? {})) {
      if (key in e && !key.startsWith("aria")) e[key] = value;
      else e.setAttribute(key, value);
    }
    e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== ""));
    return e;
  }

  const plural = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;
  const seconds = (s) => (s < 1 ? `${Math.round(s * 1000)} ms` : `${s.toFixed(1)} s`);
  const verdictOf = (cell) => data.verdicts[cell.v];
  const text = (place) => data.texts[place];
  const title = (c) => [c.target, c.held].filter(Boolean).join(", ");

  // count counts cells by verdict.
  function count(cells) {
    const n = Object.fromEntries(data.verdicts.map((v) => [v, 0]));
    for (const c of cells) n[verdictOf(c)]++;
    return n;
  }

  // ---- the matrix

  const rows = data.scenarios.map((s, i) => ({ s, i, cells: data.columns.map((c) => c.cells[i]) }));
  const areas = new Map();
  for (const r of rows) {
    if (!areas.has(r.s.area)) areas.set(r.s.area, { name: r.s.area, rows: [], open: true });
    areas.get(r.s.area).rows.push(r);
  }

  function drawHead() {
    const head = el("tr", {}, el("th", { scope: "col" }, "scenario"));
    for (const c of data.columns) {
      const n = count(c.cells);
      const totals = el("div", { className: "totals" });
      const bar = el("div", { className: "bar", "aria-hidden": "true" });
      for (const v of data.verdicts) {
        if (n[v] === 0) continue;
        totals.append(el("span", { className: v, title: v, "data-verdict": v }, `${signs[v]} ${n[v]}`));
        const part = el("i", { className: v });
        part.style.flexGrow = n[v];
        bar.append(part);
      }
      const about = data.verdicts.map((v) => `${n[v]} ${v}`).join(", ");
      head.append(el("th", { scope: "col", title: `${title(c)}: ${about}` }, el("b", {}, c.target), el("small", {}, c.held ?? ""), totals, bar));
    }
    document.querySelector("thead").append(head);
  }

  function drawRows() {
    for (const a of areas.values()) {
      const toggle = el("button", { type: "button", "aria-expanded": "true" }, a.name, " ", (a.count = el("small")));
      toggle.onclick = () => {
        a.open = !a.open;
        toggle.setAttribute("aria-expanded", a.open);
        filter();
      };
      a.head = el("tr", { className: "area" }, el("th", { scope: "rowgroup" }, toggle));
      data.columns.forEach((_, k) => {
        const n = count(a.rows.map((r) => r.cells[k]));
        const about = data.verdicts.filter((v) => n[v] > 0).map((v) => `${n[v]} ${v}`).join(", ");
        const bad = n.failed + n.broken;
        a.head.append(el("td", { title: `${a.name}, ${data.columns[k].target}: ${about}` }, `${n.passed + n.deviates}/${a.rows.length} `, bad ? el("span", { className: "failed" }, `${signs.failed} ${bad}`) : null));
      });
      const body = el("tbody", {}, a.head);
      for (const r of a.rows) {
        const name = el("button", { type: "button", tabIndex: -1, title: r.s.rule, "data-at": `-1/${r.i}` }, r.s.name);
        r.row = el("tr", { className: "row" }, el("th", { scope: "row" }, name));
        r.cells.forEach((c, k) => r.row.append(el("td", {}, drawCell(r, c, k))));
        body.append(r.row);
      }
      byId("none").before(body);
    }
  }

  function drawCell(r, c, k) {
    const v = verdictOf(c);
    const label = `${data.columns[k].target}, ${r.s.name}: ${v}${c.long ? `, like ${c.long}` : ""}`;
    return el("button", { type: "button", tabIndex: -1, className: `cell ${v}`, "aria-label": label, title: label, "data-at": `${k}/${r.i}` }, el("b", {}, signs[v]), el("span", {}, c.like ?? ""));
  }

  // ---- what is shown of it

  const wanted = new Set();

  function drawFilter() {
    const n = count(data.columns.flatMap((c) => c.cells));
    for (const v of data.verdicts) {
      const chip = el("button", { type: "button", className: "chip", "aria-pressed": "false", disabled: n[v] === 0, "data-verdict": v }, el("span", { className: `sign ${v}` }, signs[v]), `${n[v]} ${v}`);
      chip.onclick = () => {
        if (!wanted.delete(v)) wanted.add(v);
        chip.setAttribute("aria-pressed", wanted.has(v));
        filter();
      };
      byId("verdicts").append(chip);
    }
    byId("words").oninput = filter;
    byId("differ").onchange = filter;
    byId("filter").onsubmit = (event) => event.preventDefault();
  }

  // differ says that targets did not do the same; what was skipped does not count.
  function differ(r) {
    const seen = r.cells.filter((c) => verdictOf(c) !== "skipped");
    return new Set(seen.map((c) => `${c.v} ${c.like ?? ""}`)).size > 1;
  }

  function filter() {
    const words = byId("words").value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const a of areas.values()) {
      let here = 0;
      for (const r of a.rows) {
        const all = `${r.s.name} ${r.s.area} ${r.s.rule}`.toLowerCase();
        r.fits = words.every((w) => all.includes(w)) && (wanted.size === 0 || r.cells.some((c) => wanted.has(verdictOf(c)))) && (!byId("differ").checked || differ(r));
        r.row.hidden = !r.fits || !a.open;
        if (r.fits) here++;
      }
      a.head.hidden = here === 0;
      a.count.textContent = here === a.rows.length ? here : `${here} of ${a.rows.length}`;
      shown += here;
    }
    byId("none").hidden = shown > 0;
    byId("shown").textContent = shown === rows.length ? "" : `${shown} of ${rows.length} shown`;
    rove();
  }

  // ---- moving about: one button of the matrix is in the order of tabs, arrows do the rest

  let here = null;

  function rove(to) {
    const visible = (e) => e && !e.closest("tr").hidden;
    const next = visible(to) ? to : visible(here) ? here : document.querySelector("tr.row:not([hidden]) .cell");
    if (here) here.tabIndex = -1;
    here = next;
    if (here) here.tabIndex = 0;
  }

  function onKey(event) {
    const at = event.target.dataset.at;
    const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0], Home: [-Infinity, 0], End: [Infinity, 0] };
    const move = moves[event.key];
    if (!at || !move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const open = rows.filter((r) => !r.row.hidden).map((r) => r.i);
    const [k, i] = at.split("/").map(Number);
    const column = Math.min(Math.max(k + move[0], -1), data.columns.length - 1);
    const row = open[Math.min(Math.max(open.indexOf(i) + move[1], 0), open.length - 1)];
    const next = button(column, row);
    rove(next);
    next.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  const button = (k, i) => document.querySelector(`[data-at="${k}/${i}"]`);

  // ---- details

  const hues = { n: [255, 0.35], tag: [12, 1], port: [262, 1], "epmd port": [262, 1], type: [310, 1], protocol: [340, 1], highest: [190, 1], lowest: [220, 1], nlen: [145, 0.5], name: [145, 1], elen: [255, 0.35], extra: [55, 1], result: [190, 1], creation: [300, 1], fd: [80, 1], tail: [20, 1.2], "too many": [20, 1.2] };
  const numbers = new Set(["n", "tag", "port", "epmd port", "type", "protocol", "highest", "lowest", "nlen", "elen", "result", "creation"]);
  const names = { n: "length", nlen: "name length", elen: "extra length", fd: "number" };
  const glyph = (b) => (b > 0x20 && b < 0x7f ? String.fromCharCode(b) : b === 0x20 ? "␣" : "·");

  // side draws one side of a view: "w" what had to come, "g" what came.
  function side(view, which) {
    const strip = el("div", { className: "strip" });
    if (view.b) strip.append(el("span", { className: "left" }, `… ${plural(view.b, "byte")} before`));
    let bytes = 0;
    for (const [place, at] of view.r.map((r, j) => [r, j])) {
      const r = data.runs[place];
      const hole = which === "w" && r.h;
      const hex = r[which] ?? "";
      if (!hole && hex === "" && which === "w" && r.f === "too many") continue;
      bytes++;
      const cells = hole ? el("span", { className: "hole" }, r.h) : el("span", { className: "cells" }, drawBytes(r, hex));
      const label = names[r.f] ?? r.f ?? "bytes";
      const small = numbers.has(r.f) && hex !== "" && hex.length <= 8;
      const block = el("span", { className: "block", title: small ? `${label} ${parseInt(hex, 16)}` : label, "data-run": at }, el("span", { className: "label" }, label), cells);
      const [h, c] = hues[r.f] ?? [260, 0.15];
      block.style.setProperty("--h", h);
      block.style.setProperty("--c", c);
      strip.append(block);
    }
    if (bytes === 0) strip.append(el("span", { className: "nothing" }, "nothing"));
    if (view.a) strip.append(el("span", { className: "left" }, `… ${plural(view.a, "byte")} more`));
    return strip;
  }

  function drawBytes(r, hex) {
    const out = [];
    const bad = (i) => (r.bad ?? []).some((from, j, all) => j % 2 === 0 && i >= from && i < all[j + 1]);
    for (let i = 0; i < r.n; i++) {
      const h = hex.slice(2 * i, 2 * i + 2);
      if (h === "" && !bad(i)) break;
      const cell = el("span", { className: bad(i) ? "byte bad" : "byte" }, h || "--", el("i", { "aria-hidden": "true" }, h ? glyph(parseInt(h, 16)) : "·"));
      if (bad(i)) cell.title = "not as it must be";
      out.push(cell);
    }
    return out;
  }

  // compare draws both sides of a view.
  function compare(place) {
    const view = data.views[place];
    const both = el("div", { className: "both" }, el("div", { className: "expected" }, el("h4", {}, "expected"), side(view, "w")), el("div", { className: "got" }, el("h4", {}, "got"), side(view, "g")));
    both.onmouseover = (event) => {
      const run = event.target.closest("[data-run]")?.dataset.run;
      for (const b of both.querySelectorAll("[data-run]")) b.classList.toggle("lit", b.dataset.run === run);
    };
    return both;
  }

  function drawStep(nr, line, events, wrong) {
    const last = events.at(-1);
    const item = el("li", { className: wrong ? "wrong" : "" }, el("span", { className: "nr" }, nr), el("div", {}, el("code", {}, line), last?.state ? el("span", { className: "pill" }, last.state) : null, wrong ? el("span", { className: "pill no" }, `${signs.failed} failed`) : null));
    for (const e of events) {
      for (const v of e.sent ?? []) item.append(el("div", { className: "sent" }, el("h4", {}, e.sent.length > 1 ? "sent, one segment" : "sent"), side(data.views[v], "w")));
      if (e.view) item.append(compare(e.view - 1));
    }
    return item;
  }

  // drawSteps draws the steps of a variant, with what was seen at each.
  function drawSteps(variant, cell) {
    const list = el("ol", { className: "steps" });
    const events = (cell?.trace ?? []).map((e) => data.events[e]);
    variant.steps.forEach((place, i) => {
      const wrong = cell?.fail?.step === i + 1;
      // In a loop only what failed was seen, under a text of its own.
      const seen = events.filter((e) => (e.s === i + 1 && e.t === place) || (wrong && text(e.t) === cell.fail.text));
      list.append(drawStep(i + 1, text(place), seen, wrong));
    });
    return list;
  }

  const span = (variants, i) => (i === 0 ? `before OTP ${variants[1].since}` : variants[i + 1] ? `from OTP ${variants[i].since} on, before ${variants[i + 1].since}` : `from OTP ${variants[i].since} on`);

  function drawDetail(k, i) {
    const s = data.scenarios[i];
    const column = data.columns[k];
    const cell = column?.cells[i];
    const out = [];
    const close = el("button", { type: "button", className: "close", title: "close (Esc)", "aria-label": "close" }, "✕");
    close.onclick = leave;
    const sub = [s.area];
    if (cell) sub.push(title(column), seconds(cell.took));
    out.push(el("div", { className: "head" }, el("div", {}, el("h2", {}, s.name), el("p", { className: "sub" }, sub.join(" · "))), close));
    out.push(el("p", { className: "rule" }, s.rule), s.why ? el("p", { className: "why" }, s.why) : null);
    if (cell) {
      const v = verdictOf(cell);
      const said = [cell.long ? `like ${cell.long}` : "", cell.why ? text(cell.why - 1) : ""].filter((t) => t !== "").join(": ");
      out.push(el("p", { className: `said ${v}` }, `${signs[v]} ${v}${said ? `: ${said}` : ""}`));
      if (cell.fail) out.push(drawFault(cell.fail));
    }
    if (s.daemon) out.push(el("h3", {}, "The daemon is started with"), el("ul", { className: "daemon" }, s.daemon.map((d) => el("li", {}, el("code", {}, d)))));
    const played = cell?.p ?? 0;
    out.push(el("h3", {}, s.variants.length > 1 ? `Steps ${span(s.variants, played)}` : "Steps"), s.variants[played].why ? el("p", { className: "why" }, s.variants[played].why) : null, drawSteps(s.variants[played], cell));
    if (s.variants.length > 1) out.push(el("h3", {}, "Versions differ"));
    s.variants.forEach((v, j) => {
      if (j !== played) out.push(el("details", {}, el("summary", {}, `${span(s.variants, j)}${v.why ? `: ${v.why}` : ""}`), drawSteps(v, null)));
    });
    out.push(el("h3", {}, "Targets"), el("div", { className: "results" }, data.columns.map((c, j) => {
      const v = verdictOf(c.cells[i]);
      return el("a", { className: v, href: address(j, i), "aria-current": String(j === k) }, el("b", {}, signs[v]), [c.target, c.cells[i].like].filter(Boolean).join(" "));
    })));
    return out.filter((e) => e !== null);
  }

  function drawFault(f) {
    const head = f.step ? `Step ${f.step} failed` : "Failed";
    return el("section", { className: "fault" }, el("h3", {}, head), f.text ? el("code", {}, f.text) : null, el("p", { className: "what" }, f.what), f.view ? compare(f.view - 1) : null);
  }

  // ---- the address: #target/scenario, or #/scenario

  const address = (k, i) => `#${encodeURIComponent(data.columns[k]?.target ?? "")}/${encodeURIComponent(data.scenarios[i].name)}`;

  function parse() {
    const [target, name] = location.hash.slice(1).split("/").map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part; // no encoding; then no name either
      }
    });
    return { k: data.columns.findIndex((c) => c.target === target), i: data.scenarios.findIndex((s) => s.name === name), target, name };
  }

  function leave() {
    history.pushState(null, "", "#");
    route();
    here?.focus();
  }

  function route() {
    for (const e of document.querySelectorAll("#matrix [aria-current]")) e.removeAttribute("aria-current");
    const detail = byId("detail");
    const { k, i, target, name } = parse();
    detail.hidden = !name;
    if (!name) return;
    if (i < 0 || (target && k < 0)) {
      const close = el("button", { type: "button", className: "close", "aria-label": "close" }, "✕");
      close.onclick = leave;
      detail.replaceChildren(el("div", { className: "head" }, el("div", {}, el("h2", {}, "Not in this report"), el("p", { className: "sub" }, `${target} / ${name}`)), close));
      return;
    }
    detail.replaceChildren(...drawDetail(k, i));
    detail.scrollTop = 0;
    detail.focus({ preventScroll: true });
    const at = button(k, i);
    at.setAttribute("aria-current", "true");
    rove(at);
    at.scrollIntoView({ block: document.documentElement.dataset.ready ? "nearest" : "center", inline: "nearest" });
  }

  drawHead();
  drawRows();
  drawFilter();
  filter();
  byId("about").textContent = `${plural(rows.length, "scenario")} × ${plural(data.columns.length, "target")} · ${data.began} · ${seconds(data.took)}`;
  byId("matrix").onkeydown = onKey;
  byId("matrix").onclick = (event) => {
    const at = event.target.closest("[data-at]");
    if (!at) return;
    const hash = address(...at.dataset.at.split("/").map(Number));
    if (location.hash === hash) route();
    else location.hash = hash;
  };
  document.onkeydown = (event) => {
    if (event.key === "Escape" && !byId("detail").hidden) leave();
  };
  window.onhashchange = route;
  route();
  document.documentElement.dataset.ready = "yes";
})();
