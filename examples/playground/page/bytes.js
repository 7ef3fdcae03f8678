// Bytes as people write and read them. Pure: no DOM, no state.

// parseHex reads hex digits, two for a byte, with blanks wherever one likes. A `|`
// cuts the bytes into segments: cuts holds the offsets, in order, of those that
// have bytes on both sides. What cannot be read gives error, a sentence, and no
// bytes.
export function parseHex(text) {
  const bytes = [];
  const cuts = [];
  for (const token of text.match(/\||[^\s|]+/g) ?? []) {
    if (token === "|") {
      if (bytes.length > 0 && cuts.at(-1) !== bytes.length) cuts.push(bytes.length);
      continue;
    }
    const bad = token.match(/[^0-9a-f]/iu);
    if (bad) return failed(`“${visible(bad[0])}” is no hex digit`);
    if (token.length % 2) return failed(`“${clip(token)}” has an odd number of digits; a byte has two`);
    for (let i = 0; i < token.length; i += 2) bytes.push(parseInt(token.slice(i, i + 2), 16));
  }
  if (cuts.at(-1) === bytes.length) cuts.pop();
  return { bytes: Uint8Array.from(bytes), cuts, error: "" };
}

function failed(error) {
  return { bytes: new Uint8Array(), cuts: [], error };
}

function clip(text) {
  return text.length > 12 ? `${text.slice(0, 12)}…` : text;
}

// hex writes a byte as two digits.
export function hex(byte) {
  return byte.toString(16).padStart(2, "0");
}

// formatHex writes what parseHex reads.
export function formatHex(bytes, cuts = []) {
  const at = new Set(cuts);
  return Array.from(bytes, (b, i) => (at.has(i) ? "| " : "") + hex(b)).join(" ");
}

// joinHex writes bytes without blanks.
export function joinHex(bytes) {
  return Array.from(bytes, hex).join("");
}

// concat joins arrays of bytes.
export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

// utf8 gives the text that bytes encode, or null if they are not valid UTF-8.
export function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null; // the decoder's only way to say so
  }
}

// latin1 maps each byte to the character of the same number, so that offsets in
// the text are offsets in the bytes.
export function latin1(bytes) {
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return text;
}

// glyph shows one byte as a character: a dot for what is not printable ASCII.
export function glyph(byte) {
  return byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : byte === 0x20 ? "␣" : "·";
}

// visible escapes what would not be seen, or would turn the line around it:
// control, format and private characters, and blanks other than the space.
export function visible(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

// show writes a name so that every byte of it can be told.
export function show(bytes) {
  const text = utf8(bytes);
  if (text !== null) return visible(text);
  return Array.from(bytes, (b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : `\\x${hex(b)}`)).join("");
}

// chars counts the characters of a name, as epmd does; bytes that are not UTF-8
// count one each.
export function chars(bytes) {
  const text = utf8(bytes);
  return text === null ? bytes.length : [...text].length;
}
