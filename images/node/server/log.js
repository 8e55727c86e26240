// The server's own lines: whole, unbuffered, in one format across languages.
'use strict';

const { writeSync } = require('node:fs');

/** One line of the server's on standard error. */
function say(text) {
  writeText(2, `kubeless: ${text}\n`);
}

/** All of a text to a descriptor. When nobody reads it any more, it is lost. */
function writeText(descriptor, text) {
  let rest = Buffer.from(text);
  for (let tries = 0; rest.length && tries < 1000; tries += 1) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
      // Somebody made the pipe non-blocking, and its reader is behind: wait a little.
      Atomics.wait(PAUSE, 0, 0, 1);
    }
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

module.exports = { say, writeText };
