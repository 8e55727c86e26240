// Ours: answers after 20 ms.
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');

module.exports.handler = async (event) => {
  await sleep(20);
  return event.data;
};
