// Takes as many seconds as the request's body says; answers with the most calls seen at once.
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');

let running = 0;
let most = 0;

module.exports.handler = async (event) => {
  running += 1;
  most = Math.max(most, running);
  try {
    await sleep(Number(event.data || 0.2) * 1000);
  } finally {
    running -= 1;
  }
  return most;
};
