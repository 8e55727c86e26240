// Kubeless' Node.js runtime: serves one function over HTTP.
//
// The model: a *supervisor* (process 1, ../supervisor.pl) holds the listening socket
// and starts the *server*, this process: node:http and the function on the main thread,
// and a *watchdog* thread for what the main thread can't do while a handler keeps it.
//
//     config      the environment, read and checked once
//     loader      the source file -> the handler
//     server      socket, connections, drain
//     app         one request to its answer
//     calls       slots, deadlines
//     board       memory shared with the watchdog
//     watchdog    ends a handler that holds the main thread
//     event       the (event, context) of a handler
//     extensions  the request and response, as Express has them (express: loaded when asked for)
//     result      what a handler returned -> how it is sent
//     faults      errors nobody caught, process.exit: never the end of the server
//     metrics     counters, Prometheus text
//     access      access log lines
'use strict';

const { App } = require('./app');
const { Board } = require('./board');
const { ConfigError, fromEnviron } = require('./config');
const { Faults } = require('./faults');
const { LoadError, explain, load, report, usesExtensions } = require('./loader');
const { say } = require('./log');
const { Server } = require('./server');
const { watch } = require('./watch');

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

  const board = new Board();
  const app = new App(config, handler, board);
  faults.tell((error) => app.stray(error));
  const server = new Server(config, app);
  await server.listen();
  watch(board, config);
  if (usesExtensions(config)) setImmediate(() => require('./express'));
  return server.stopped;
}

main().then((code) => process.reallyExit(code));
