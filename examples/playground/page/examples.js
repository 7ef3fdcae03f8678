// Conversations to click. Each is what share.js calls events, with the usual
// settings but for those that it has.
import { build, lookup3, node, node3, text } from "./requests.js";
import { concat } from "./bytes.js";

const local = { do: "open", local: true };
const remote = { do: "open", local: false };
const send = (conn, bytes) => ({ do: "send", conn, bytes });
const close = (conn) => ({ do: "close", conn });
const advance = (seconds) => ({ do: "advance", seconds });
const lookup = (name) => build("lookup", { name: text(name) });

const alpha = node("alpha", 9001);
const long = "n".repeat(255);

// examples are {title, note, events, settings}.
export const examples = [
  {
    title: "Register and look up",
    note: "A node registers on connection 1, which stays open. On connection 2 somebody asks where it listens, and is told.",
    events: [local, send(1, alpha), local, send(2, lookup("alpha"))],
  },
  {
    title: "Name taken",
    note: "The second node of the same name is refused: result 1, and a creation that means nothing. Its connection is kept all the same.",
    events: [local, send(1, alpha), local, send(2, node("alpha", 9002))],
  },
  {
    title: "A restart bumps the creation",
    note: "The node goes and comes back ten seconds later. Its name was remembered, so its creation goes up by one, whatever the clock says.",
    events: [local, send(1, alpha), close(1), advance(10), local, send(2, alpha)],
  },
  {
    title: "An excess byte closes",
    note: "One byte behind the packet, in the same read: closed unanswered. Cut before that byte, and the request is answered.",
    events: [local, send(1, concat(lookup("alpha"), Uint8Array.of(0)))],
  },
  {
    title: "255 characters",
    note: "A name of 255 characters can be registered, but never looked up: the look-up takes 254 at most.",
    events: [local, send(1, node(long, 9001)), local, send(2, lookup(long))],
  },
  {
    title: "From another machine",
    note: "A remote peer may look up and list. What it tries to register is closed unanswered.",
    events: [local, send(1, alpha), remote, send(2, build("names", {})), remote, send(3, node("beta", 9002))],
  },
  {
    title: "Byte by byte",
    note: "The request comes in three segments. After 60 seconds without its end the connection would be closed.",
    events: [local, send(1, alpha.subarray(0, 1)), send(1, alpha.subarray(1, 13)), advance(59), send(1, alpha.subarray(13))],
  },
  {
    title: "Several transports",
    note: "One node, two transports, each on a port of its own, both on connection 1. Who looks the node up says what it speaks, and is told where that is.",
    settings: { multi: true },
    events: [
      local, send(1, node3("alpha", "inet_tcp", 9001)), send(1, node3("alpha", "inet_tls", 9002)),
      remote, send(2, build("names3", {})), remote, send(3, lookup3("alpha", "inet_tls", "inet6_tls")),
    ],
  },
  {
    title: "A transport ends alone",
    note: "Two connections hold a transport each. The first one ends, and its transport with it; the name stays, with the other.",
    settings: { multi: true },
    events: [
      local, send(1, node3("alpha", "inet_tcp", 9001)), local, send(2, node3("alpha", "uds", 0)), close(1),
      local, send(3, lookup3("alpha", "inet_tcp")), local, send(4, build("dump3", {})),
    ],
  },
];
