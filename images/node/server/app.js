// One request: from its head to the answer.
'use strict';

const { AccessLog } = require('./access');
const { EMPTY, announcesTooMuch, discard, mayHaveBody, read } = require('./body');
const { Calls } = require('./calls');
const children = require('./children');
const { InvalidJson, build, context, mediaType } = require('./event');
const { say, writeText } = require('./log');
const metrics = require('./metrics');
const { ReturnError, Stream, answer, chunk } = require('./result');
const { trace } = require('./trace');

const PLAIN = 'text/plain; charset=utf-8';
const FAILED = 'Internal Server Error';
const TIMEOUT = 'Request timeout exceeded';
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

class App {
  #config;
  #handler;
  #context;
  #calls;
  #log;
  #metrics;
  #board;

  constructor(config, handler, board) {
    this.#config = config;
    this.#board = board;
    this.#handler = handler;
    this.#context = context(config);
    this.#calls = new Calls(board, config.timeout, config.concurrency, (call) => this.#timedOut(call));
    this.#metrics = new metrics.Metrics(board.counters[config.worker], board.counters);
    children.follow(() => this.#calls.current);
    this.#log = config.accessLog ? new AccessLog() : undefined;
  }

  /** Answer one request. */
  serve(request, response) {
    const { method, url } = request;
    if (request.httpVersionMajor !== 1) {
      response.shouldKeepAlive = false;
      this.#write(response, 400, PLAIN, `HTTP ${request.httpVersion} is not spoken here`);
      return;
    }
    if (method === 'GET' && this.#own(url, response)) return;
    if (method === 'OPTIONS' && this.#config.cors) {
      this.#preflight(request, response);
      return;
    }
    const call = this.#calls.begin(request, response);
    if (call === undefined) {
      this.#write(response, 503, PLAIN, 'Too many requests are running', ['Retry-After', '1']);
      this.#log?.write(request, request.socket.remoteAddress ?? '', 503, 29, 0);
      request.resume();
      return;
    }
    if (announcesTooMuch(request, this.#config.bodyLimit)) {
      this.#tooLarge(call);
    } else if (!mayHaveBody(request)) {
      this.#call(call, EMPTY);
    } else if (mediaType(request.headers['content-type'] ?? '').startsWith('multipart/')) {
      this.#call(call, undefined);
    } else {
      if (request.headers.expect !== undefined) response.writeContinue();
      read(
        request,
        this.#config.bodyLimit,
        (body) => call.ended || this.#call(call, body),
        () => call.ended || this.#tooLarge(call),
        () => this.#calls.end(call),
      );
    }
  }

  /** An error that nobody caught: the only running call's, when there is only one. */
  stray(error) {
    const call = this.#calls.current;
    if (call === undefined) writeText(2, trace(error));
    else this.failed(call, error);
  }

  /** 500: the client learns that, the log learns why. */
  failed(call, error) {
    if (error instanceof ReturnError) say(error.message);
    else writeText(2, trace(error));
    if (call.ended) return;
    if (call.response.headersSent) {
      this.#cutOff(call, 500);
      return;
    }
    this.#finish(call, 500, FAILED.length, true);
    this.#reset(call.response);
    this.#write(call.response, 500, PLAIN, FAILED);
  }

  /** The handler looks at the response: from here on it may answer by itself. */
  own(call) {
    if (call.owned) return;
    call.owned = true;
    const { response } = call;
    if (this.#config.cors) response.setHeader('Access-Control-Allow-Origin', '*');
    if (call.ended) {
      response.on('error', () => {}); // it comes too late, and may
      return;
    }
    const { writeHead } = response;
    response.writeHead = (...head) => {
      this.#calls.answering(call);
      return writeHead.apply(response, head);
    };
    const before = response.socket?.bytesWritten ?? 0;
    response.once('close', () => {
      if (call.ended) return;
      const { statusCode, socket } = response;
      const length = Number(response.getHeader('content-length'));
      const sent = (socket?.bytesWritten ?? before) - before - (response._header?.length ?? 0);
      this.#finish(call, statusCode, length || Math.max(0, sent), statusCode >= 500);
    });
  }

  /** The pod stops: say so in the answers under way, as the board does in all later ones. */
  drain() {
    for (const { response } of this.#calls.running) response.shouldKeepAlive = false;
  }

  /** Calls that run. */
  get running() {
    return this.#calls.running.size;
  }

  /** Write what the log still holds. */
  flush() {
    this.#log?.flush();
  }

  /** Answer a path that is the server's own; whether it was one. */
  #own(url, response) {
    const path = url.charCodeAt(1) === 104 || url.charCodeAt(1) === 109 ? url.split('?', 1)[0] : '';
    if (path === '/healthz') {
      if (this.#board.draining) this.#write(response, 503, PLAIN, 'stopping');
      else this.#write(response, 200, PLAIN, 'OK');
    } else if (path === '/metrics') {
      this.#write(response, 200, metrics.CONTENT_TYPE, this.#metrics.render());
    } else {
      return false;
    }
    return true;
  }

  #preflight(request, response) {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Methods', METHODS);
    const wanted = request.headers['access-control-request-headers'];
    response.setHeader('Access-Control-Allow-Headers', wanted ?? 'Content-Type');
    response.setHeader('Access-Control-Max-Age', '86400');
    response.statusCode = 204;
    response.end();
  }

  #call(call, body) {
    let event;
    try {
      event = build(this, call, body);
    } catch (error) {
      if (!(error instanceof InvalidJson)) throw error;
      const text = `Invalid JSON in the request's body: ${error.message}`;
      this.#calls.end(call);
      this.#write(call.response, 400, PLAIN, text);
      this.#logged(call, 400, Buffer.byteLength(text));
      return;
    }
    try {
      const result = this.#calls.enter(call, this.#handler, event, { ...this.#context });
      if (typeof result?.then === 'function') {
        result.then(
          (value) => this.#returned(call, value),
          (error) => this.failed(call, error),
        );
      } else {
        this.#returned(call, result);
      }
    } catch (error) {
      this.failed(call, error);
    }
  }

  /** Send what the handler returned, unless it answered by itself. */
  #returned(call, value) {
    if (call.ended) {
      if (typeof value?.destroy === 'function') value.destroy(); // nobody will read it
      return;
    }
    const { response } = call;
    if (call.owned) {
      if (response.writableEnded) return;
      // `return stream.pipe(response)`: it ends when the stream does.
      if (value === response) {
        if (response.listenerCount('unpipe') > 0) return;
        value = undefined;
      }
      if (response.headersSent) {
        response.end(typeof value === 'string' || Buffer.isBuffer(value) ? value : undefined);
        return;
      }
    }
    try {
      const found = answer(value);
      if (found instanceof Stream) {
        this.#stream(call, found).catch((error) => this.failed(call, error));
        return;
      }
      const size = typeof found.data === 'string' ? Buffer.byteLength(found.data) : found.data.length;
      if (call.owned) {
        if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', found.type);
        response.setHeader('Content-Length', size); // also where HEAD leaves the body out
        response.end(found.data);
        return;
      }
      this.#finish(call, 200, size, false);
      this.#write(response, 200, found.type, found.data, undefined, size);
    } catch (error) {
      this.failed(call, error);
    }
  }

  /** Send a stream's chunks. The call's time runs until the last one. */
  async #stream(call, { source, status, headers }) {
    const { request, response } = call;
    let gone = false;
    let wake = () => {};
    response.on('drain', () => wake());
    response.once('close', () => {
      gone = true;
      wake();
      // It may wait for a chunk that will never come; then this ends it.
      if (typeof source.destroy === 'function') source.destroy();
      else if (typeof source.cancel === 'function' && !source.locked) source.cancel().catch(() => {});
    });
    if (status) response.statusCode = status;
    for (const [name, value] of headers) {
      if (!/^(connection|transfer-encoding|content-length)$/i.test(name)) response.appendHeader(name, value);
    }
    if (!status && !response.hasHeader('Content-Type')) {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
    }
    this.#common(response);
    if (request.method !== 'HEAD' && response.statusCode !== 204 && response.statusCode !== 304) {
      for await (const value of source) {
        if (gone || call.ended) break;
        const data = chunk(value);
        if (!data.length) continue;
        call.size += typeof data === 'string' ? Buffer.byteLength(data) : data.length;
        this.#calls.answering(call);
        if (!response.write(data) && !gone) await new Promise((resolve) => (wake = resolve));
      }
    } else if (typeof source.destroy === 'function') {
      source.destroy();
    } else {
      await (source.cancel ?? source.return)?.call(source);
    }
    if (call.ended) return;
    const { statusCode } = response;
    this.#finish(call, statusCode, call.size, statusCode >= 500);
    response.end();
  }

  #timedOut(call) {
    const { request, response } = call;
    children.end(call);
    response.on('error', () => {}); // what the handler still writes comes too late
    if (response.headersSent) {
      this.#cutOff(call, 408);
      return;
    }
    this.#finish(call, 408, TIMEOUT.length, true);
    // A body that is not read to its end would keep the connection waiting.
    if (!request.complete) response.shouldKeepAlive = false;
    this.#reset(response);
    this.#write(response, 408, PLAIN, TIMEOUT);
    if (!request.complete) discard(request, () => request.socket?.destroySoon());
  }

  #tooLarge(call) {
    const { request, response } = call;
    this.#calls.end(call);
    const text = `The request's body is larger than ${this.#config.bodyLimit} bytes`;
    response.shouldKeepAlive = false;
    response.writeHead(413, this.#headers(PLAIN, text.length));
    response.write(text);
    this.#logged(call, 413, text.length);
    discard(request, () => response.end());
  }

  /** End an answer that can't go on, so that its client notices. */
  #cutOff(call, status) {
    const { socket } = call.response;
    this.#finish(call, status, call.size, true);
    call.response.on('error', () => {});
    if (socket) socket.resetAndDestroy();
    else call.response.destroy();
  }

  /** Take back what a handler set before it failed. */
  #reset(response) {
    for (const name of response.getHeaderNames()) response.removeHeader(name);
  }

  #finish(call, status, size, failed) {
    if (!this.#calls.end(call)) return;
    const seconds = (performance.now() - call.started) / 1000;
    this.#metrics.record(call.request.method, seconds, failed);
    this.#log?.write(call.request, call.address, status, size, seconds);
  }

  #logged(call, status, size) {
    const seconds = (performance.now() - call.started) / 1000;
    this.#log?.write(call.request, call.address, status, size, seconds);
  }

  #write(response, status, type, data, more, size = Buffer.byteLength(data)) {
    if (this.#board.draining) response.shouldKeepAlive = false;
    const headers = this.#headers(type, size);
    response.writeHead(status, more ? [...headers, ...more] : headers);
    response.end(data);
  }

  #headers(type, size) {
    return this.#config.cors
      ? ['Content-Type', type, 'Content-Length', size, 'Access-Control-Allow-Origin', '*']
      : ['Content-Type', type, 'Content-Length', size];
  }

  #common(response) {
    if (this.#board.draining) response.shouldKeepAlive = false;
    if (this.#config.cors) response.setHeader('Access-Control-Allow-Origin', '*');
  }
}

module.exports = { App };
