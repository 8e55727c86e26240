// The calls that run: slots on the board, deadlines, and who is told when one passes.
//
// All calls have the same timeout, so they run out in the order in which they began:
// one timer for the oldest is enough. A call that ends before costs no timer at all.
'use strict';

const { CURRENT, SLOTS, USED } = require('./board');
const { METHODS, OTHER } = require('./metrics');

const INDEX = new Map(METHODS.map((method, index) => [method, index]));

/** What performance.now() lacks to the machine's clock. */
const ORIGIN = Number(process.hrtime.bigint()) / 1e6 - performance.now();

class Call {
  constructor(request, response, slot, started) {
    this.request = request;
    this.response = response;
    this.slot = slot;
    /** Milliseconds of performance.now(). */
    this.started = started;
    this.address = request.socket.remoteAddress ?? '';
    this.ended = false;
    /** Whether the handler took the response into its own hands. */
    this.owned = false;
    /** Bytes of a streamed body so far. */
    this.size = 0;
    /** Child processes that it started. */
    this.children = undefined;
  }
}

class Calls {
  #board;
  #timeout;
  #limit;
  #free = [];
  #used = 0;
  #timer = null;
  #current;
  #onTimeout;

  /** Calls that have not ended, oldest first. */
  running = new Set();

  /**
   * @param {number} timeout in seconds
   * @param {number} concurrency calls at once in all workers, 0 for as many as there are slots
   * @param {(call: Call) => void} onTimeout told of a call whose time is over
   */
  constructor(board, timeout, concurrency, onTimeout) {
    this.#board = board;
    this.#timeout = timeout * 1000;
    this.#limit = concurrency;
    this.#onTimeout = onTimeout;
  }

  /** A call that begins now; undefined when as many run as may. */
  begin(request, response) {
    if (this.running.size >= SLOTS || (this.#limit && !this.#board.enter(this.#limit))) return undefined;
    const slot = this.#free.length ? this.#free.pop() : this.#used++;
    const now = performance.now();
    const call = new Call(request, response, slot, now);
    const board = this.#board;
    board.state[USED] = this.#used;
    // Nothing may be written by force while an earlier answer is still under way.
    const { socket } = response;
    board.descriptors[slot] = socket && !socket.writableLength ? (socket._handle?.fd ?? -1) : -1;
    board.methods[slot] = INDEX.get(request.method) ?? OTHER;
    board.deadlines[slot] = now + this.#timeout + ORIGIN;
    this.running.add(call);
    if (this.#timer === null) this.#arm(this.#timeout);
    return call;
  }

  /** The answer begins: from here on it can only be cut off. */
  answering(call) {
    if (!call.ended) this.#board.descriptors[call.slot] = -1;
  }

  /** Free a call's slot; false when it had ended before. */
  end(call) {
    if (call.ended) return false;
    call.ended = true;
    this.#board.deadlines[call.slot] = 0;
    if (this.#limit) this.#board.leave();
    this.#free.push(call.slot);
    this.running.delete(call);
    return true;
  }

  /** Run the synchronous part of a handler; the watchdog then knows whose it is. */
  enter(call, handler, event, context) {
    const { state } = this.#board;
    state[CURRENT] = call.slot;
    this.#current = call;
    try {
      return handler(event, context);
    } finally {
      state[CURRENT] = -1;
      this.#current = undefined;
    }
  }

  /** The call on whose behalf this runs, as far as that can be told; else undefined. */
  get current() {
    if (this.#current !== undefined) return this.#current;
    return this.running.size === 1 ? this.running.values().next().value : undefined;
  }

  #arm(delay) {
    this.#timer = setTimeout(() => this.#expire(), Math.ceil(delay));
  }

  #expire() {
    // A watchdog that ended a handler left its mark here.
    this.#board.state[CURRENT] = -1;
    this.#current = undefined;
    this.#timer = null;
    const now = performance.now();
    for (const call of this.running) {
      const left = call.started + this.#timeout - now;
      if (left > 0) {
        this.#arm(left);
        return;
      }
      this.#onTimeout(call);
      this.end(call);
    }
  }
}

module.exports = { Call, Calls };
