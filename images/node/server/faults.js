// Errors that nobody caught, and process.exit: never the end of the server.
//
// While the function is loaded they are why it does not load. Later they are logged,
// and answered with 500 when one call runs and so must be theirs.
'use strict';

/** process.exit was called. */
class Exit extends Error {
  constructor(code) {
    super(`process.exit(${code ?? ''}) was called; the server goes on`);
    this.name = 'Exit';
    this.code = code ?? process.exitCode ?? 0;
  }
}

class Faults {
  /** The first process.exit while loading, though the module may have caught it. */
  exit = null;
  #listener = null;
  #early;

  constructor() {
    this.#early = new Promise((resolve, reject) => {
      this.#listener = reject;
    });
    this.#early.catch(() => {});
    process.exit = (code) => {
      const exit = new Exit(code);
      this.exit ??= exit;
      throw exit;
    };
    process.on('uncaughtException', (error) => this.#listener(error));
    process.on('unhandledRejection', (error) => this.#listener(error));
  }

  /** What loading gives; or an uncaught error's rejection, when that comes first. */
  async whileLoading(loading) {
    const idle = () => this.#listener(new Error('it waits for something that never comes'));
    process.once('beforeExit', idle);
    try {
      return await Promise.race([loading, this.#early]);
    } finally {
      process.off('beforeExit', idle);
    }
  }

  /** From now on: tell this function. */
  tell(listener) {
    this.#listener = listener;
  }
}

module.exports = { Exit, Faults };
