// The board: memory that the server's main thread and its watchdog share.
//
// Every running call has a slot with its deadline (milliseconds of the process's
// monotonic clock, 0 for a free slot) and the descriptor on which an answer could be
// written by force (-1 once one has begun). Only the main thread writes slots; the
// watchdog reads them, and when the main thread does not react it acts.
'use strict';

/** Calls at once; more are refused with 503. */
const SLOTS = 10_000;

class Board {
  /** @param {SharedArrayBuffer} [memory] the other thread's board */
  constructor(memory = new SharedArrayBuffer(13 * SLOTS + 8)) {
    this.memory = memory;
    this.deadlines = new Float64Array(memory, 0, SLOTS);
    this.descriptors = new Int32Array(memory, 8 * SLOTS, SLOTS);
    /** Indices of metrics.METHODS. */
    this.methods = new Uint8Array(memory, 12 * SLOTS + 8, SLOTS);
    /** [the slot whose handler is on the stack or -1, slots ever used] */
    this.state = new Int32Array(memory, 12 * SLOTS, 2);
  }
}

const CURRENT = 0;
const USED = 1;

module.exports = { Board, CURRENT, SLOTS, USED };
