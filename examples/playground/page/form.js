// The form that builds a request, and its two ways: fields to bytes, and, where
// the bytes are a request without surprises, bytes to fields.
import { joinHex, parseHex, utf8 } from "./bytes.js";
import { byId } from "./dom.js";
import { decodeRequest } from "./fields.js";
import { build, tags, text } from "./requests.js";

const numbers = ["port", "type", "protocol", "highest", "lowest"];

// kind is the chosen kind of request.
export function kind() {
  return document.querySelector("input[name=kind]:checked").value;
}

// choose chooses a kind and shows its fields.
export function choose(which) {
  document.querySelector(`input[name=kind][value=${which}]`).checked = true;
  for (const label of byId("inputs").children) label.hidden = !label.dataset.for.split(" ").includes(which);
}

// read gives the request as {bytes, error}.
export function read() {
  const f = { name: text(byId("f-name").value) };
  let error = "";
  const bad = (input, what) => {
    input.setAttribute("aria-invalid", String(what !== ""));
    error ||= what;
  };
  for (const id of numbers) {
    const input = byId(`f-${id}`);
    const max = Number(input.dataset.max);
    const good = /^\d{1,5}$/.test(input.value.trim()) && Number(input.value) <= max;
    f[id] = good ? Number(input.value) : 0;
    bad(input, good || input.closest("label").hidden ? "" : `${id} is a number from 0 to ${max}`);
  }
  for (const id of ["extra", "tail"]) {
    const input = byId(`f-${id}`);
    const parsed = parseHex(input.value);
    f[id] = parsed.bytes;
    bad(input, parsed.error && !input.closest("label").hidden ? `${id}: ${parsed.error}` : "");
  }
  const bytes = build(kind(), f);
  if (!error && bytes.length > 2 + 0xffff) error = "a request cannot be so long";
  return { bytes, error };
}

// write fills the form in from bytes, and tells whether it could. It does not
// touch the kind unless told to.
export function write(bytes, { anyKind = false } = {}) {
  const d = decodeRequest(bytes);
  const of = (id) => d.fields.find((f) => f.id === id);
  const part = (id) => (of(id) ? bytes.subarray(of(id).from, of(id).to) : new Uint8Array());
  const which = Object.keys(tags).find((k) => of("tag") && tags[k] === bytes[of("tag").from]);
  if (!which || d.problems.some((p) => p.level !== "refuse") || of("nul") || of("excess")) return false;
  if (utf8(part("name")) === null || part("name").includes(0)) return false;
  if (which !== kind() && !anyKind) return false;
  choose(which);
  byId("f-name").value = which in { register: 1, lookup: 1, stop: 1 } ? utf8(part("name")) : byId("f-name").value;
  if (which === "register") for (const id of numbers) byId(`f-${id}`).value = of(id).value;
  byId("f-extra").value = joinHex(part("extra"));
  byId("f-tail").value = joinHex(part("tail"));
  return true;
}
