// An EPMD in JavaScript: the WebAssembly module of this folder behind a few
// methods. It needs nothing but the language and WebAssembly, so it runs in Node
// and in browsers alike. README.md describes the functions that it calls.
//
//   const mod = await EpmdModule.load(bytes);
//   const d = mod.daemon({port: 4369});
//   const c = d.open({local: true});
//   const {verdict, reply} = d.feed(c, Uint8Array.of(0, 1, 0x6e)); // NAMES_REQ

/** The version of the module's functions that this file calls. */
export const ABI_VERSION = 1;

const MAX_CHUNK = 1 << 16; // the most bytes that epmd_alloc gives
const RECORD = 9; // numbers in the record of epmd_result
const VERDICTS = ["more", "keep", "close", "stop"];

const NAMES = {
  [-1]: ["DAEMON", "no such daemon"],
  [-2]: ["CONN", "no such connection"],
  [-3]: ["POINTER", "not memory of epmd_alloc, or more than that"],
  [-4]: ["RANGE", "an argument is out of range"],
  [-5]: ["STOPPED", "the daemon was ended by a KILL_REQ"],
  [-6]: ["FULL", "too many daemons or connections, or too much memory"],
};

/**
 * What a call threw: `code` is the negative number of the module, and `reason`
 * its name in README.md. Nothing has changed by that call.
 */
export class EpmdError extends Error {
  constructor(code, what) {
    const [name, text] = NAMES[code] ?? ["UNKNOWN", `status ${code}`];
    super(`${what}: ${text}`);
    this.name = "EpmdError";
    this.code = code;
    this.reason = name;
  }
}

/** An instance of the module, in which daemons live. */
export class EpmdModule {
  #exports;

  constructor(exports) {
    this.#exports = exports;
  }

  /**
   * Compiles and instantiates a module, given as a Uint8Array or an ArrayBuffer.
   * Throws if it is none, or one of another version. What the module prints,
   * which is only why it crashed, goes to the console, or to `print(fd, line)`.
   */
  static async load(bytes, {print} = {}) {
    const compiled = await WebAssembly.compile(bytes);
    const random = globalThis.crypto ?? (await import('node:crypto')).webcrypto; // Node before 20
    const wasi = new Wasi(random, print);
    const instance = await WebAssembly.instantiate(compiled, wasi.imports(compiled));
    wasi.start(instance);
    const version = instance.exports.epmd_abi_version?.();
    if (version !== ABI_VERSION) {
      throw new Error(`the module has version ${version}, expected ${ABI_VERSION}`);
    }
    return new EpmdModule(instance.exports);
  }

  /** The version of the module's functions. */
  get abiVersion() {
    return this.#exports.epmd_abi_version();
  }

  /**
   * Starts a daemon. All options may be left out: the daemon's own port, the
   * relaxed command check, the time for a request (0: no limit) and whether every
   * chunk starts it again, how many old names are kept (negative: none), the
   * time at which the daemon starts, and the multi-transport extension.
   */
  daemon({
    port = 4369,
    relaxed = false,
    packetTimeoutMs = 60_000,
    timeoutRestarts = false,
    remember = 1000,
    nowMs = Date.now(),
    multiTransport = false,
  } = {}) {
    const flags = (relaxed ? 1 : 0) | (timeoutRestarts ? 2 : 0) | (multiTransport ? 4 : 0);
    const id = check("daemon", this.#exports.epmd_daemon_new(
      i32("port", port), flags, i32("packetTimeoutMs", packetTimeoutMs),
      i32("remember", remember), i64("nowMs", nowMs)));
    return new EpmdDaemon(this.#exports, id);
  }
}

/** One daemon. EpmdModule.daemon makes it. */
class EpmdDaemon {
  #exports;
  #id;

  constructor(exports, id) {
    this.#exports = exports;
    this.#id = id;
  }

  /** Opens a connection, from this machine or another, and gives its number. */
  open({local = true} = {}) {
    return check("open", this.#exports.epmd_open(this.#id, local ? 1 : 0));
  }

  /** The most bytes that the next chunk may have: what one read would ask for. */
  want(conn) {
    return check("want", this.#exports.epmd_want(this.#id, i32("connection", conn)));
  }

  /**
   * Lets a chunk arrive, as one read returned it. `used` says how much of it was
   * looked at; with "close" the daemon closed the connection, with "stop" all of
   * them, and itself; `evicted` are others that it closed.
   */
  feed(conn, chunk) {
    const bytes = chunk.subarray(0, MAX_CHUNK); // no session looks at more
    const at = this.#copy(bytes);
    let verdict;
    try {
      verdict = this.#exports.epmd_feed(this.#id, i32("connection", conn), at, bytes.length);
    } finally {
      if (at !== 0) this.#exports.epmd_free(at);
    }
    check("feed", verdict);
    const r = this.#result();
    return {
      verdict: VERDICTS[verdict],
      reply: r.data,
      used: r.used,
      tag: r.tag,
      error: text(r.error),
      evicted: r.ids,
    };
  }

  /** The peer closed the connection; its number means nothing any more. */
  end(conn) {
    check("end", this.#exports.epmd_end(this.#id, i32("connection", conn)));
  }

  /** Lets milliseconds pass; gives the connections that were too slow. */
  advance(ms) {
    check("advance", this.#exports.epmd_advance(this.#id, i64("ms", ms)));
    return this.#result().ids;
  }

  /** All that the daemon knows. */
  state() {
    check("state", this.#exports.epmd_state(this.#id));
    return JSON.parse(text(this.#result().data));
  }

  /** Frees the daemon. Every other call throws after it. */
  delete() {
    check("delete", this.#exports.epmd_daemon_delete(this.#id));
  }

  /** Copies bytes into memory of the module; 0 is where no bytes are. */
  #copy(bytes) {
    if (bytes.length === 0) return 0;
    const at = this.#exports.epmd_alloc(bytes.length) >>> 0;
    if (at === 0) throw new EpmdError(-6, "alloc");
    new Uint8Array(this.#exports.memory.buffer, at, bytes.length).set(bytes);
    return at;
  }

  /** Reads the record of the last call, and copies what it points to. */
  #result() {
    const at = this.#exports.epmd_result(this.#id) >>> 0;
    // The memory may have grown, which leaves older views of it empty.
    const view = new DataView(this.#exports.memory.buffer);
    const [, used, tag, data, dataLen, error, errorLen, ids, idsLen] =
      Array.from({length: RECORD}, (_, i) => view.getUint32(at + 4 * i, true));
    return {
      used,
      tag,
      data: new Uint8Array(view.buffer, data, dataLen).slice(),
      error: new Uint8Array(view.buffer, error, errorLen).slice(),
      ids: Array.from({length: idsLen}, (_, i) => view.getUint32(ids + 4 * i, true)),
    };
  }
}

function check(what, status) {
  if (status < 0) throw new EpmdError(status, what);
  return status;
}

/** A number that fits; WebAssembly would cut off what does not. */
function i32(what, n) {
  if (!Number.isInteger(n) || n !== (n | 0)) throw new EpmdError(-4, what);
  return n;
}

function i64(what, n) {
  if (!Number.isSafeInteger(n)) throw new EpmdError(-4, what);
  return BigInt(n);
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}

// The rest is as much of wasi_snapshot_preview1 as the module needs: a clock,
// random numbers, and a place to print to. There are no files, arguments or
// variables.

const SUCCESS = 0;
const EBADF = 8;
const ENOSYS = 52;

const ONCE = 65536; // the most random bytes that one call gives

/** The module ended itself, which it does only when it has crashed. */
export class Exit extends Error {
  constructor(status) {
    super(`the module ended itself with status ${status}`);
    this.name = "Exit";
    this.status = status;
  }
}

/** The system of one instance. */
class Wasi {
  #random;
  #print;
  #memory;
  #partial = new Map(); // of each descriptor: the bytes of an unfinished line

  /**
   * random fills arrays, as crypto does; print(fd, line) gets what the module
   * writes; without it, the console.
   */
  constructor(random, print = toConsole) {
    this.#random = random;
    this.#print = print;
  }

  /** What a compiled module imports. What is missing here answers ENOSYS. */
  imports(module) {
    const functions = {};
    for (const {module: from, name, kind} of WebAssembly.Module.imports(module)) {
      if (from !== "wasi_snapshot_preview1" || kind !== "function") {
        throw new Error(`the module imports ${from}.${name}, which does not exist here`);
      }
      const known = this[name];
      functions[name] = known ? known.bind(this) : () => ENOSYS;
    }
    return {wasi_snapshot_preview1: functions};
  }

  /** Runs a reactor's start. */
  start(instance) {
    this.#memory = instance.exports.memory;
    instance.exports._initialize();
  }

  // The memory may have grown since the last call, so views are made anew.
  get #view() {
    return new DataView(this.#memory.buffer);
  }

  args_sizes_get(count, size) {
    return this.#none(count, size);
  }

  environ_sizes_get(count, size) {
    return this.#none(count, size);
  }

  args_get() {
    return SUCCESS;
  }

  environ_get() {
    return SUCCESS;
  }

  #none(count, size) {
    this.#view.setUint32(count >>> 0, 0, true);
    this.#view.setUint32(size >>> 0, 0, true);
    return SUCCESS;
  }

  /** Clock 0 is the wall's, the others only go forward. */
  clock_time_get(clock, _precision, out) {
    const ms = clock === 0 ? Date.now() : performance.now();
    this.#view.setBigUint64(out >>> 0, BigInt(Math.round(ms * 1000)) * 1000n, true);
    return SUCCESS;
  }

  random_get(at, length) {
    const bytes = new Uint8Array(this.#memory.buffer, at >>> 0, length >>> 0);
    for (let i = 0; i < bytes.length; i += ONCE) {
      this.#random.getRandomValues(bytes.subarray(i, i + ONCE));
    }
    return SUCCESS;
  }

  sched_yield() {
    return SUCCESS;
  }

  /** A call cannot wait here: everything that it waits for has come. */
  poll_oneoff(subscriptions, events, count, out) {
    const view = this.#view;
    for (let i = 0; i < count; i++) {
      const from = (subscriptions >>> 0) + 48 * i;
      const to = (events >>> 0) + 32 * i;
      new Uint8Array(view.buffer, to, 32).fill(0);
      view.setBigUint64(to, view.getBigUint64(from, true), true); // user data
      view.setUint8(to + 10, view.getUint8(from + 8)); // kind of event
    }
    view.setUint32(out >>> 0, count, true);
    return SUCCESS;
  }

  fd_write(fd, vectors, count, out) {
    if (fd !== 1 && fd !== 2) return EBADF;
    const view = this.#view;
    let written = 0;
    for (let i = 0; i < count; i++) {
      const at = view.getUint32((vectors >>> 0) + 8 * i, true);
      const length = view.getUint32((vectors >>> 0) + 8 * i + 4, true);
      this.#write(fd, new Uint8Array(view.buffer, at, length));
      written += length;
    }
    view.setUint32(out >>> 0, written, true);
    return SUCCESS;
  }

  #write(fd, bytes) {
    const line = this.#partial.get(fd) ?? [];
    this.#partial.set(fd, line);
    for (const b of bytes) {
      if (b === 0x0a) this.#flush(fd, line);
      else line.push(b);
    }
  }

  #flush(fd, line) {
    this.#print(fd, new TextDecoder().decode(Uint8Array.from(line)));
    line.length = 0;
  }

  proc_exit(status) {
    for (const [fd, line] of this.#partial) {
      if (line.length > 0) this.#flush(fd, line);
    }
    throw new Exit(status);
  }

  /** Streams 0 to 2 are there, and have no properties. */
  fd_fdstat_get(fd, out) {
    if (fd > 2) return EBADF;
    new Uint8Array(this.#memory.buffer, out >>> 0, 24).fill(0);
    this.#view.setUint8(out >>> 0, 2); // a character device
    return SUCCESS;
  }

  fd_fdstat_set_flags(fd) {
    return fd > 2 ? EBADF : SUCCESS;
  }

  fd_prestat_get() {
    return EBADF;
  }

  fd_prestat_dir_name() {
    return EBADF;
  }

  fd_close() {
    return EBADF;
  }
}

function toConsole(fd, line) {
  if (fd === 1) console.log(line);
  else console.error(line);
}
