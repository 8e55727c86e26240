// Kubeless' Node.js runtime: serves one function over HTTP.
//
// The model: a *supervisor* (process 1, ../supervisor.pl) holds the listening socket and
// starts *workers*, of which this process is one: node:http and the function on the main
// thread, and a *watchdog* thread, in C, for what the main thread can't do while a handler
// keeps it.
//
//     config      the environment, read and checked once
//     loader      the source file -> the handler (import: of an ES module)
//     server      socket, connections, drain
//     app         one request to its answer
//     calls       slots, deadlines
//     board       memory shared by all workers, their watchdogs and the supervisor
//     native      what is in C: that memory, and the watchdog
//     event       the (event, context) of a handler
//     extensions  the request and response, as Express has them (express: loaded when asked for)
//     result      what a handler returned -> how it is sent
//     faults      errors nobody caught, process.exit: never the end of the server
//     metrics     counters, Prometheus text
//     access      access log lines
'use strict';

const { App } = require('./app');
const { Board, REGION } = require('./board');
const { ConfigError, fromEnviron } = require('./config');
const { Faults } = require('./faults');
const { LoadError, explain, load, report, usesExtensions } = require('./loader');
const { say } = require('./log');
const { BUCKETS } = require('./metrics');
const native = require('./native');
const { Server } = require('./server');

/** Milliseconds after which what only the start needed is given back. */
const SETTLED = 250;

async function main() {
  let config;
  try {
    config = fromEnviron(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    say(error.message);
    return 1;
  }
  if (config.listenError) {
    say(`can't use port ${config.port} (FUNC_PORT): ${config.listenError}`);
    return 1;
  }

  const faults = new Faults();
  let handler;
  try {
    handler = await faults.whileLoading(load(config, faults));
  } catch (error) {
    report(error instanceof LoadError ? error : explain(error, config), config.terminationLog);
    return 1;
  }

  const board = new Board(config.board, config.worker, config.workers);
  const app = new App(config, handler, board);
  faults.tell((error) => app.stray(error));
  const server = new Server(config, app);
  native.watch(board, REGION, config.timeout * 1000, config.status, BUCKETS);
  await server.listen();
  if (usesExtensions(config)) setImmediate(() => require('./express'));
  setTimeout(native.trim, SETTLED).unref();
  return server.stopped;
}

main().then((code) => process.reallyExit(code));
