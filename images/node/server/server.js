// The HTTP server on the supervisor's socket, and its end.
//
// SIGTERM: unready, accept for the drain delay with `Connection: close`, stop
// accepting, finish what runs, exit code 0.
'use strict';

const http = require('node:http');
const net = require('node:net');
const { say } = require('./log');

const BACKLOG = 1024;

/** Milliseconds in which the request of a connection that was just accepted is read. */
const ARRIVING = 100;

/** Milliseconds past the timeout that a call may take at the end. */
const LATE = 2000;

const OPTIONS = {
  noDelay: true,
  /** Milliseconds for a request's head, against clients that never end it. */
  headersTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  /** The whole request has the function's timeout. */
  requestTimeout: 0,
  /** Longer than most clients keep a connection: one of them ends it, not both at once. */
  keepAliveTimeout: 75_000,
};

class Server {
  #config;
  #app;
  #http;
  #status;
  #stopping = false;
  #resolve;

  /** Resolves to the exit code. */
  stopped = new Promise((resolve) => {
    this.#resolve = resolve;
  });

  constructor(config, app) {
    this.#config = config;
    this.#app = app;
    this.#http = http.createServer(OPTIONS, (request, response) => app.serve(request, response));
    // The server sends it itself, once it knows that it wants the body.
    this.#http.on('checkContinue', (request, response) => app.serve(request, response));
    this.#http.on('checkExpectation', (request, response) => app.serve(request, response));
  }

  /** Take requests, and tell the supervisor. */
  async listen() {
    this.#status = new net.Socket({ fd: this.#config.status });
    this.#status.on('error', () => {});
    this.#status.on('close', () => process.reallyExit(1)); // the supervisor is gone: go too
    this.#status.resume().unref();
    process.on('SIGTERM', (name) => this.#stop(name));
    process.on('SIGINT', () => {}); // a terminal's; the supervisor decides
    await new Promise((resolve) => this.#http.listen({ fd: this.#config.listener, backlog: BACKLOG }, resolve));
    this.#status.write('+');
  }

  #stop(name) {
    if (this.#stopping) return;
    this.#stopping = true;
    const { drainDelay } = this.#config;
    this.#say(`${name}: not ready any more, accepting for ${drainDelay} s`);
    this.#app.drain();
    setTimeout(() => this.#finish(), drainDelay * 1000);
  }

  /** All workers do the same: one of them says so. */
  #say(text) {
    if (this.#config.worker === 0) say(text);
  }

  #finish() {
    this.#say('no longer accepting, finishing what runs');
    this.#http.close();
    this.#status.write('C');
    const end = performance.now() + this.#config.timeout * 1000 + LATE;
    const look = () => {
      if (this.#app.running && performance.now() < end) {
        setTimeout(look, 20);
        return;
      }
      this.#http.closeIdleConnections();
      this.#app.flush();
      // What was just written leaves with the next turn.
      setTimeout(() => this.#resolve(0), 20);
    };
    setTimeout(look, ARRIVING);
  }
}

module.exports = { Server };
