// Child processes that handlers start: they end with the call whose time is over.
//
// Whose a child is can be told when it is started before the handler's first await, or
// while no other call runs. Others run on.
'use strict';

const { ChildProcess } = require('node:child_process');

/**
 * Note every child process at its call.
 * @param {() => import('./calls').Call | undefined} current the call that runs now
 */
function follow(current) {
  const { spawn } = ChildProcess.prototype;
  ChildProcess.prototype.spawn = function spawnAndNote(...options) {
    const result = spawn.apply(this, options);
    const call = current();
    if (call !== undefined && this.pid !== undefined) (call.children ??= []).push(this);
    return result;
  };
}

/** End the child processes of a call. */
function end(call) {
  for (const child of call.children ?? []) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

module.exports = { end, follow };
