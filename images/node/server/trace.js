// An error as the log shows it: with its cause, without the server's own frames.
'use strict';

const { inspect } = require('node:util');

/** The traceback of whatever was thrown, ending with a newline. */
function trace(error) {
  let text;
  try {
    text = error instanceof Error ? inspect(error) : `Uncaught ${inspect(error)}`;
  } catch {
    text = 'Uncaught value that cannot be shown';
  }
  const lines = text.split('\n').filter((line) => !(/^\s+at /.test(line) && OURS.test(line)));
  return `${lines.join('\n')}\n`;
}

const OURS = new RegExp(`${__dirname.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}/|node:internal/modules/`);

module.exports = { trace };
