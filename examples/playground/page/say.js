// What happened, as sentences. Pure: no DOM, no state.
import { show } from "./bytes.js";
import { decodeReply, decodeSent, messageName } from "./fields.js";

// outcome tells how a segment was taken: kind is a short word for it, text the
// sentence.
export function outcome(e) {
  if (e.failed) return { kind: "unread", text: `Nothing happens: ${e.failed}.` };
  const rest = e.unread > 0 ? ` ${count(e.unread, "byte")} stay${e.unread === 1 ? "s" : ""} unread.` : "";
  const gone = e.evicted.length > 0 ? ` Connection ${e.evicted.join(", ")} is closed.` : "";
  return { kind: kind(e), text: sentence(e) + gone + rest };
}

function kind(e) {
  if (e.verdict === "more") return "waits";
  if (e.verdict === "stop") return "ended";
  if (e.verdict === "keep") return e.error ? "refused" : "kept";
  return e.reply.length > 0 ? "answered" : "closed";
}

function sentence(e) {
  switch (kind(e)) {
    case "waits":
      return `The daemon has ${count(e.pending, "byte")} and waits for more.`;
    case "ended":
      return "Answered, and the daemon has ended. Reset to start another.";
    case "refused":
      return `Refused: ${e.error}. The connection stays open${e.more ? "" : ", and holds nothing"}.`;
    case "kept":
      return `Registered with ${gist(e)}, for as long as the connection stays open.`;
    case "answered":
      return `The daemon answers ${gist(e)}, and closes the connection.`;
    default:
      return e.held ? `Closed: ${e.error}.` : `Closed unanswered: ${e.error}.`;
  }
}

// topic names a request and what it is about, as far as it can be read.
export function topic(e) {
  if (e.failed) return count(e.sent.length, "byte");
  const d = decodeSent(e.request, e.ends, e);
  if (e.held && d.message === "") return `${count(e.sent.length, "byte")} on a kept connection`;
  const of = (id) => {
    const field = d.fields.find((f) => f.id === id);
    return field ? ` ${clip(show(e.request.subarray(field.from, field.to)))}` : "";
  };
  return (d.message || "no request") + of("name") + (d.message === "ALIVE3_REQ" ? of("transport") : "");
}

// gist is a reply in few words.
export function gist(e) {
  if (e.failed) return e.failed;
  if (e.reply.length === 0) return "";
  const d = decodeReply(e.tag, e.reply);
  const of = (id) => d.fields.find((f) => f.id === id)?.value;
  const text = of("words");
  switch (messageName(e.tag)) {
    case "ALIVE2_REQ":
    case "ALIVE3_REQ":
      return registrations(d).join(", ");
    case "PORT_PLEASE2_REQ":
      return of("result") === "0" ? `port ${of("port")}` : "that there is none";
    case "PORT_PLEASE3_REQ":
      return of("result") === "0" ? ports(d) : "that there is none";
    case "NAMES_REQ":
    case "DUMP_REQ":
    case "NAMES3_REQ":
    case "DUMP3_REQ":
      return count(d.fields.filter((f) => f.id === "name").length, "line");
    default:
      return text ?? "";
  }
}

// registrations are the replies to registrations, of which several may come at once.
function registrations({ fields }) {
  const values = (id) => fields.filter((f) => f.id === id).map((f) => f.value);
  const creations = values("creation");
  return [...new Set(values("result").map((result, i) => (result === "0" ? `creation ${creations[i]}` : `result ${result}`)))];
}

// ports are those of a node, each with its transport.
function ports({ fields }) {
  const all = fields.flatMap((f, i) => (f.id === "port" ? [`port ${f.value} ${fields[i + 2].id === "transport" ? fields[i + 2].value : ""}`.trim()] : []));
  return all.join(", ") || "that the node is there";
}

// step tells of an event that is not a segment.
export function step(e) {
  if (e.failed) return `Nothing happens: ${e.failed}.`;
  switch (e.do) {
    case "open":
      return `opens, from ${e.local ? "this machine" : "another machine"}`;
    case "close":
      return "is closed by the peer";
    default: {
      const late = e.late.length > 0 ? `: connection ${e.late.join(", ")} was too slow and is closed` : "";
      return `${count(e.seconds, "second")} pass${e.seconds === 1 ? "es" : ""}${late}`;
    }
  }
}

// clip shortens what would fill the line.
export function clip(text) {
  return text.length > 40 ? `${text.slice(0, 38)}…` : text;
}

// count writes a number of things.
export function count(n, thing) {
  return `${n} ${thing}${n === 1 ? "" : "s"}`;
}

// clock writes Unix milliseconds as a date and a time of UTC.
export function clock(ms) {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
