// The server's configuration: read once from the environment, checked, frozen.
'use strict';

const MEBIBYTE = 1024 * 1024;

/** A variable that can't be used; the message names it, what was found and what is expected. */
class ConfigError extends Error {}

/**
 * The configuration. Times in seconds, sizes in bytes, 0 concurrency for no limit.
 * @param {Record<string, string | undefined>} environ
 * @throws {ConfigError} on the first variable that is wrong
 */
function fromEnviron(environ) {
  const integer = (name, standard, low, high) => {
    const text = environ[name];
    if (!text) return standard;
    if (!/^[0-9]{1,16}$/.test(text) || Number(text) < low || Number(text) > high) {
      throw new ConfigError(`${name} is '${text}': expected a whole number from ${low} to ${high}`);
    }
    return Number(text);
  };
  const seconds = (name, standard, minimum) => {
    const text = environ[name];
    if (!text) return standard;
    const value = /^[0-9.eE+]+$/.test(text) ? Number(text) : NaN;
    if (!(value >= minimum && value < 2 ** 31 / 1000)) {
      throw new ConfigError(`${name} is '${text}': expected a number of seconds, such as 180 or 0.5`);
    }
    return value;
  };
  const boolean = (name, standard) => {
    const text = (environ[name] ?? '').toLowerCase();
    if (!text) return standard;
    if (['true', '1', 'yes', 'on'].includes(text)) return true;
    if (['false', '0', 'no', 'off'].includes(text)) return false;
    throw new ConfigError(`${name} is '${environ[name]}': expected true or false`);
  };
  const name = (variable, meaning) => {
    const value = environ[variable];
    if (!value) throw new ConfigError(`${variable} is not set: it names the function's ${meaning}`);
    if (value.includes('/')) {
      throw new ConfigError(`${variable} is '${value}': expected the ${meaning}'s name, not a path`);
    }
    return value;
  };
  integer('KUBELESS_WORKERS', 0, 0, 64); // the supervisor's; what is wrong with it is said here
  const descriptor = (variable) => (environ[variable] ? Number(environ[variable]) : NaN);
  const megabytes = integer('REQ_MB_LIMIT', 100, 0, 1_000_000);
  return Object.freeze({
    module: name('MOD_NAME', 'module'),
    function: name('FUNC_HANDLER', 'handler'),
    timeout: seconds('FUNC_TIMEOUT', 180, 0.01),
    runtime: environ.FUNC_RUNTIME ?? '',
    memoryLimit: environ.FUNC_MEMORY_LIMIT || '0',
    port: integer('FUNC_PORT', 8080, 1, 65535),
    volume: (environ.KUBELESS_INSTALL_VOLUME ?? '/kubeless').replace(/\/+$/, '') || '/',
    bodyLimit: integer('FUNC_MEMFILE_MAX', megabytes * MEBIBYTE, 0, 2 ** 50),
    concurrency: integer('FUNC_CONCURRENCY', 0, 0, 1_000_000),
    drainDelay: seconds('KUBELESS_DRAIN_DELAY', 2, 0),
    accessLog: boolean('KUBELESS_ACCESS_LOG', true),
    cors: boolean('FUNC_CORS', false),
    terminationLog: environ.KUBELESS_TERMINATION_LOG || '/dev/termination-log',
    // Descriptors that the supervisor made.
    listener: descriptor('KUBELESS_LISTENER'),
    status: descriptor('KUBELESS_STATUS'),
    board: descriptor('KUBELESS_BOARD'),
    /** Which of how many workers this is. */
    worker: integer('KUBELESS_WORKER', 0, 0, 63),
    workers: integer('KUBELESS_WORKER_COUNT', 1, 1, 64),
    listenError: environ.KUBELESS_LISTEN_ERROR ?? '',
  });
}

module.exports = { ConfigError, fromEnviron };
