// The watchdog: a thread that ends what the main thread can't end, because it is busy.
//
// The main thread answers 408 itself when it can. A deadline that stands on the board
// after it passed means that something holds the main thread:
//
//   JavaScript   its execution is terminated through the inspector, as a debugger's
//                stop button does: the handler's frames are dropped, catch and finally
//                do not run, the event loop goes on and answers 408. A handler on the
//                stack before its time is over is left alone.
//   native code  it can't be ended: 408 to the calls whose time is over, 503 to the
//                others, then this process kills itself and the supervisor, which
//                kept the socket, starts another.
'use strict';

const fs = require('node:fs');
const { workerData } = require('node:worker_threads');
const { Board, CURRENT, USED } = require('./board');
const { say } = require('./log');
const { METHODS, Metrics } = require('./metrics');

/** Milliseconds that the main thread has to answer by itself. */
const PROMPT = 60;

/** Milliseconds for which a continuation, which can't be told whose it is, may hold others up. */
const GRACE = 300;

/** Milliseconds in which terminated JavaScript is gone. */
const HELD = 350;

/** Milliseconds between looks while the main thread does not react. */
const TICK = 10;

const { counters, memory, origin, status, timeout, terminable } = workerData;
const board = new Board(memory);
const { deadlines, descriptors, state } = board;
const never = new Int32Array(new SharedArrayBuffer(4));

const now = () => Number(process.hrtime.bigint()) / 1e6 - origin;
const sleep = (milliseconds) => Atomics.wait(never, 0, 0, Math.max(1, milliseconds));

/** The earliest deadline on the board; Infinity without calls. */
function earliest() {
  let found = Infinity;
  for (let slot = 0; slot < Atomics.load(state, USED); slot += 1) {
    if (deadlines[slot] > 0 && deadlines[slot] < found) found = deadlines[slot];
  }
  return found;
}

/** Wait until the main thread has dealt with every deadline before `time`; whether it did. */
function reacts(time, milliseconds) {
  const end = now() + milliseconds;
  while (earliest() <= time) {
    if (now() >= end) return false;
    sleep(TICK);
  }
  return true;
}

/** Whether the handler on the stack, if one is, may run on. */
function innocent() {
  const current = Atomics.load(state, CURRENT);
  return current >= 0 && deadlines[current] > now();
}

function terminate() {
  const { Session } = require('node:inspector');
  const session = new Session();
  session.connectToMainThread();
  try {
    session.post('Runtime.terminateExecution');
    return reacts(now() - PROMPT, HELD);
  } finally {
    session.disconnect();
  }
}

/** Answer for the main thread, and end the process. */
function replace() {
  const time = now();
  const metrics = new Metrics(counters);
  for (let slot = 0; slot < state[USED]; slot += 1) {
    if (deadlines[slot] > 0) {
      metrics.record(METHODS[board.methods[slot]], (time - deadlines[slot] + timeout) / 1000, true);
    }
    if (deadlines[slot] > 0 && descriptors[slot] >= 0) {
      const answer =
        deadlines[slot] <= time
          ? raw('408 Request Timeout', 'Request timeout exceeded')
          : raw('503 Service Unavailable', 'A call beside this one held the server', 'Retry-After: 1\r\n');
      try {
        fs.writeSync(descriptors[slot], answer);
      } catch {
        // This client is gone, or does not read.
      }
    }
  }
  metrics.save();
  say('a native call held the server past the timeout; its process is replaced');
  fs.writeSync(status, 'K');
  process.kill(process.pid, 'SIGKILL');
}

function raw(reason, text, headers = '') {
  return (
    `HTTP/1.1 ${reason}\r\n${headers}Content-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`
  );
}

for (;;) {
  // A call that begins later has its deadline later than a timeout from now.
  sleep(Math.min(earliest(), now() + timeout) - now() + PROMPT);
  while (earliest() <= now() - PROMPT) {
    const since = now();
    // Whoever holds the main thread may do so until it is overdue itself.
    while (earliest() <= since - PROMPT && innocent()) sleep(TICK);
    const known = Atomics.load(state, CURRENT) >= 0;
    if (reacts(since - PROMPT, known ? 0 : GRACE) || innocent()) continue;
    if (!terminable || !terminate()) replace();
  }
}
