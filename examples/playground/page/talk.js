// One conversation with one daemon: what happened so far, and what came of it.
// No DOM. The same settings and events always give the same log.
import { concat } from "./bytes.js";
import { bounds } from "./share.js";

const none = new Uint8Array();

// Talk drives a daemon of the module. log has an entry for each event:
//
//	{do: "open", conn, local}
//	{do: "send", conn, sent, verdict, tag, reply, error, evicted, request, ends, held, more, multi, pending, unread}
//	{do: "close", conn}
//	{do: "advance", seconds, late}
//
// request is all that has arrived on the connection for the request so far, ends
// where its segments end, held whether the connection was kept before, more whether it
// was and took further requests, multi whether the daemon takes such, pending how many
// bytes wait for others. An entry has failed, a sentence, if the event could not take
// place.
export class Talk {
  constructor(module, settings) {
    this.settings = settings;
    this.events = [];
    this.log = [];
    this.arrived = new Map(); // connection → {bytes, ends} of a request that is not complete
    this.conns = 0;
    this.daemon = module.daemon({
      port: settings.port,
      relaxed: settings.relaxed,
      packetTimeoutMs: settings.timeout * 1000,
      timeoutRestarts: settings.restarts,
      remember: settings.remember,
      nowMs: settings.now * 1000,
      multiTransport: settings.multi,
    });
  }

  // delete gives the daemon's memory back. Nothing else may be called after it.
  delete() {
    this.daemon.delete();
  }

  // state is the daemon's own account of itself.
  state() {
    return this.daemon.state();
  }

  // conn is the state of a connection, or undefined if it is gone.
  conn(id) {
    return this.state().conns.find((c) => c.id === id);
  }

  // full says that the conversation has reached its bounds.
  full() {
    return this.events.length >= bounds.events;
  }

  // play lets something happen, as share.js has its events, and gives its entry.
  play(event) {
    const entry = this.run(event);
    this.events.push(event);
    this.log.push(entry);
    return entry;
  }

  run(event) {
    if (this.state().stopped && event.do !== "advance") return { ...event, failed: "nobody answers: the daemon has ended" };
    switch (event.do) {
      case "open":
        return { ...event, conn: this.open(event.local) };
      case "send":
        return this.send(event);
      case "close":
        return this.close(event);
      default:
        return { ...event, late: this.daemon.advance(event.seconds * 1000) };
    }
  }

  open(local) {
    const id = this.daemon.open({ local });
    this.conns = Math.max(this.conns, id);
    return id;
  }

  close(event) {
    if (!this.conn(event.conn)) return { ...event, failed: "there is no such connection any more" };
    this.daemon.end(event.conn);
    this.arrived.delete(event.conn);
    return event;
  }

  // send lets one segment arrive. As a daemon does, it reads no more at a time
  // than the session wants, and reads on while there is something to read.
  send({ conn, bytes }) {
    const before = this.conn(conn);
    const entry = { do: "send", conn, sent: bytes };
    if (!before || before.state === "closed") return { ...entry, failed: "the connection is closed: nobody reads" };
    const more = before.takesMore === true;
    const held = before.state !== "reading";
    let all = { verdict: "more", tag: 0, reply: none, error: "", evicted: [] };
    let at = 0;
    while (at < bytes.length) {
      const res = this.daemon.feed(conn, bytes.subarray(at, at + this.daemon.want(conn)));
      at += res.used;
      all = {
        verdict: res.verdict,
        tag: res.tag || all.tag,
        reply: concat(all.reply, res.reply),
        error: res.error || all.error,
        evicted: [...all.evicted, ...res.evicted],
      };
      if (res.used === 0 || res.verdict === "close" || res.verdict === "stop") break;
    }
    const old = this.pending(conn);
    const request = concat(old.bytes, bytes);
    const ends = [...old.ends, request.length];
    const pending = this.conn(conn).buffered;
    const done = request.length - pending;
    this.arrived.set(conn, { bytes: request.subarray(done), ends: ends.filter((e) => e > done).map((e) => e - done) });
    return { ...entry, ...all, held, more, multi: this.settings.multi, request, ends, pending, unread: bytes.length - at };
  }

  // pending is what has arrived of a request that is not complete.
  pending(conn) {
    return this.arrived.get(conn) ?? { bytes: none, ends: [] };
  }
}
