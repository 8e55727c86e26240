// Starts the watchdog thread.
'use strict';

const { features } = process;
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { say } = require('./log');

/**
 * Watch the deadlines on a board.
 * @param {import('./board').Board} board
 * @param {object} config its timeout in seconds, and the supervisor's descriptors
 */
function watch(board, { counters, status, timeout }) {
  const worker = new Worker(path.join(__dirname, 'watchdog.js'), {
    workerData: {
      memory: board.memory,
      // The board's times are this thread's; the watchdog has the machine's clock.
      origin: Number(process.hrtime.bigint()) / 1e6 - performance.now(),
      counters,
      status,
      timeout: timeout * 1000,
      terminable: features.inspector,
    },
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  worker.unref();
  worker.on('error', (error) => {
    // Without it a busy handler could not be ended: the supervisor starts all anew.
    say(`the watchdog failed: ${error.stack}`);
    process.reallyExit(1);
  });
}

module.exports = { watch };
