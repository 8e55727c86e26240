// What is in C (../native): shared memory, the watchdog thread, and giving memory back.
'use strict';

const path = require('node:path');

const FILE = path.join(__dirname, '../build/native.node');

function open() {
  const loaded = { exports: {} };
  process.dlopen(loaded, FILE);
  return loaded.exports;
}

const native = open();

/** The first bytes of a file as an ArrayBuffer that every process shares which maps them. */
function map(descriptor, size) {
  return native.map(descriptor, size);
}

/**
 * Start the watchdog on a board's region.
 * @param {import('./board').Board} board
 * @param {number} size bytes of the region
 * @param {number} timeout in milliseconds
 * @param {number} status the supervisor's descriptor
 * @param {number[]} bounds of the histogram's buckets, in seconds
 */
function watch(board, size, timeout, status, bounds) {
  native.watch(board.memory, Float64Array.of(board.start, size, timeout, status, ...bounds).buffer);
}

/** Give back the memory that only the start needed. */
function trim() {
  native.trim();
}

module.exports = { map, trim, watch };
