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

// offer shows the kinds of request that the daemon takes: with multi twice as many. It
// tells whether the chosen one had to become another.
export function offer(multi) {
  document.querySelector(".kinds").classList.toggle("twelve", multi);
  for (const label of document.querySelectorAll(".kinds .three")) label.hidden = !multi;
  const gone = !multi && kind().endsWith("3");
  if (gone) choose(kind().slice(0, -1));
  return gone;
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
  f.transport = text(byId("f-transport").value);
  f.transports = (byId("f-transports").value.match(/[^\s,]+/g) ?? []).map(text);
  bad(byId("f-transport"), kind() === "register3" && f.transport.length > 255 ? "a transport has 255 bytes at most" : "");
  const long = f.transports.length > 255 || f.transports.some((t) => t.length > 255);
  bad(byId("f-transports"), kind() === "lookup3" && long ? "there are 255 transports at most, each of 255 bytes" : "");
  if (error) return { bytes: new Uint8Array(), error };
  const bytes = build(kind(), f);
  return { bytes, error: bytes.length > 2 + 0xffff ? "a request cannot be so long" : "" };
}

// write fills the form in from bytes, and tells whether it could. It does not
// touch the kind unless told to. With multi they may be of the multi-transport extension.
export function write(bytes, { anyKind = false, multi = false } = {}) {
  const d = decodeRequest(bytes, undefined, multi);
  const all = (id) => d.fields.filter((f) => f.id === id);
  const of = (id) => all(id)[0];
  const part = (id) => (of(id) ? bytes.subarray(of(id).from, of(id).to) : new Uint8Array());
  const which = Object.keys(tags).find((k) => of("tag") && tags[k] === bytes[of("tag").from]);
  if (!which || d.problems.some((p) => p.level !== "refuse") || of("nul") || of("excess")) return false;
  if (utf8(part("name")) === null || part("name").includes(0) || all("tag").length > 1) return false;
  const transports = all("transport").map((f) => utf8(bytes.subarray(f.from, f.to)));
  if (transports.some((t) => t === null || which === "lookup3" && /[\s,]/.test(t)) || which === "lookup3" && transports.length !== Number(of("count").value)) return false;
  if (which !== kind() && !anyKind) return false;
  choose(which);
  if (/^(register|lookup|stop)/.test(which)) byId("f-name").value = utf8(part("name"));
  if (which.startsWith("register")) for (const id of numbers) if (of(id)) byId(`f-${id}`).value = of(id).value;
  if (which === "register3") byId("f-transport").value = transports[0] ?? "";
  if (which === "lookup3") byId("f-transports").value = transports.join(", ");
  byId("f-extra").value = joinHex(part("extra"));
  byId("f-tail").value = joinHex(part("tail"));
  return true;
}
