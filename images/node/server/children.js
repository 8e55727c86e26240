// Child processes that handlers start: they end with the call whose time is over.
//
// Whose a child is can be told when it is started before the handler's first await, or
// while no other call runs. Others run on.
'use strict';

const { subscribe } = require('node:diagnostics_channel');

/**
 * Note every child process at its call.
 * @param {() => import('./calls').Call | undefined} current the call that runs now
 */
function follow(current) {
  // Node.js tells of each one here; to load its module for that takes 5 to 25 ms of the start.
  subscribe('child_process', ({ process: child }) => {
    const call = current();
    if (call !== undefined) (call.children ??= []).push(child);
  });
}

/** End the child processes of a call. */
function end(call) {
  for (const child of call.children ?? []) {
    // One that could not be started has no id.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

module.exports = { end, follow };
