// Does, for as long as it is let, the work that the request's body names; 'done' without one.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');

// One for all calls: an abandoned promise can't close what it opened.
let connection;

async function connect() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return net.connect(server.address().port, '127.0.0.1').setMaxListeners(0);
}

module.exports.handler = async (event) => {
  switch (event.data) {
    case 'loop':
      for (;;);
    case 'sleep':
      await sleep(60_000);
      break;
    case 'socket':
      connection ??= connect();
      await once(await connection, 'data');
      break;
    case 'child':
      await once(spawn('sleep', ['61.5']), 'close');
      break;
    case 'blocking':
      execFileSync('sleep', ['61.5']);
      break;
    case 'native':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
      break;
    case 'short':
      await sleep(600);
      break;
    default:
  }
  return 'done';
};
