// The board: memory that the workers, their watchdogs and the supervisor share.
//
// A file of the supervisor's, mapped by every worker. Its head tells all workers that
// the pod stops, and how many calls each of them runs. A *region* belongs to one worker
// at a time; when that dies its successor counts on, so totals survive a worker.
//
//     head     draining | calls that run, one number a worker
//     region   current, used | counters | deadlines | descriptors | methods
//
// Every running call has a slot with its deadline (milliseconds of the machine's
// monotonic clock, 0 for a free slot) and the descriptor on which an answer could be
// written by force (-1 once one has begun). Only a worker's main thread writes its slots;
// the watchdog (../native/watchdog.c, whose board.h is laid out alike) reads them, and
// when the main thread does not react it acts.
'use strict';

const { COUNTERS } = require('./metrics');
const native = require('./native');

/** Calls at once in one worker; more are refused with 503. */
const SLOTS = 10_000;

/** Bytes of the head and of a region's parts. */
const HEAD = 4096;
const STATE = 64;
const REGION = STATE + COUNTERS * 8 + SLOTS * 13;

/** Places in a region's state: the slot whose handler is on the stack or -1; slots ever used. */
const CURRENT = 0;
const USED = 1;

class Board {
  #draining;
  #active;
  #index;

  /**
   * Map the board, and take over one worker's region.
   * @param {number} descriptor the supervisor's file
   * @param {number} index this worker's, from 0
   * @param {number} workers
   */
  constructor(descriptor, index, workers) {
    this.memory = native.map(descriptor, HEAD + workers * REGION);
    this.#index = index;
    this.#draining = new Int32Array(this.memory, 0, 1);
    this.#active = new Int32Array(this.memory, 4, workers);
    /** Every worker's counters. */
    this.counters = Array.from(
      { length: workers },
      (_, worker) => new Float64Array(this.memory, HEAD + worker * REGION + STATE, COUNTERS),
    );
    const start = HEAD + index * REGION;
    /** Where this worker's region begins. */
    this.start = start;
    this.state = new Int32Array(this.memory, start, STATE / 4);
    const deadlines = start + STATE + COUNTERS * 8;
    this.deadlines = new Float64Array(this.memory, deadlines, SLOTS);
    this.descriptors = new Int32Array(this.memory, deadlines + SLOTS * 8, SLOTS);
    /** Indices of metrics.METHODS. */
    this.methods = new Uint8Array(this.memory, deadlines + SLOTS * 12, SLOTS);
    // What a predecessor left.
    this.deadlines.fill(0, 0, this.state[USED]);
    this.state[USED] = 0;
    this.state[CURRENT] = -1;
    this.#active[index] = 0;
  }

  /** Whether the pod was told to stop. */
  get draining() {
    return this.#draining[0] !== 0;
  }

  /**
   * Say that one call more runs in this worker.
   * @returns {boolean} false, and nothing is said, when more than `limit` would run in all workers
   */
  enter(limit) {
    const active = this.#active;
    // First in, then look: so never above the limit.
    Atomics.add(active, this.#index, 1);
    let sum = 0;
    for (let worker = 0; worker < active.length; worker += 1) sum += Atomics.load(active, worker);
    if (sum <= limit) return true;
    this.leave();
    return false;
  }

  /** Say that one call less runs. */
  leave() {
    Atomics.sub(this.#active, this.#index, 1);
  }
}

module.exports = { Board, CURRENT, REGION, SLOTS, USED };
