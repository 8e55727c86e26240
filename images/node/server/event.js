// The (event, context) of a handler.
'use strict';

const { isUtf8 } = require('node:buffer');
const { Extensions } = require('./extensions');
const { explain } = require('./json');

const JSON_TYPE = 'application/json';

/** The body is not the JSON its media type promises; the message has the position. */
class InvalidJson extends Error {}

/**
 * The event of one call.
 * @param {import('./calls').Call} call
 * @param {Buffer | undefined} body undefined for one that the handler shall read
 * @throws {InvalidJson}
 */
function build(app, call, body) {
  const { headers } = call.request;
  return {
    data: body === undefined ? '' : data(headers['content-type'], body),
    'event-id': headers['event-id'] ?? headers['ce-id'],
    'event-type': headers['event-type'] ?? headers['ce-type'],
    'event-time': headers['event-time'] ?? headers['ce-time'],
    'event-namespace': headers['event-namespace'] ?? headers['ce-source'],
    extensions: new Extensions(app, call, body),
  };
}

function data(contentType, body) {
  if (contentType !== undefined && mediaType(contentType) === JSON_TYPE) {
    return body.length ? parse(body) : {};
  }
  return body.length ? body.toString() : '';
}

/** The media type of a Content-Type header, without parameters. */
function mediaType(contentType) {
  if (contentType === JSON_TYPE) return JSON_TYPE;
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

function parse(body) {
  if (!isUtf8(body)) throw new InvalidJson('it is not UTF-8 (char 0)');
  // A byte order mark is no JSON, but editors write one.
  const text = body[0] === 0xef && body[1] === 0xbb ? body.toString('utf8', 3) : body.toString();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidJson(explain(text), { cause: error });
  }
}

/** The context that every call gets a copy of. */
function context(config) {
  return {
    'function-name': config.function,
    timeout: config.timeout,
    runtime: config.runtime,
    'memory-limit': config.memoryLimit,
  };
}

module.exports = { InvalidJson, build, context, mediaType };
