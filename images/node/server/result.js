// What a handler returned, as what can be sent.
//
// Kinds are told by shape where a function may bring a class of its own.
'use strict';

const TEXT = 'text/html; charset=utf-8';
const BYTES = 'application/octet-stream';
const JSON_TYPE = 'application/json';

/** A handler returned what can't be sent. */
class ReturnError extends Error {}

/** A body that is there: `data` is a string or bytes. */
class Whole {
  constructor(type, data) {
    this.type = type;
    this.data = data;
  }
}

/** A body that is made while it is sent; with a status and headers when it is a Response's. */
class Stream {
  constructor(source, status = 0, headers = []) {
    this.source = source;
    this.status = status;
    this.headers = headers;
  }
}

const NOTHING = new Whole(TEXT, '');

/**
 * The answer for a handler's return value.
 * @returns {Whole | Stream}
 * @throws {ReturnError}
 */
function answer(value) {
  switch (typeof value) {
    case 'string':
      return new Whole(TEXT, value);
    case 'undefined':
      return NOTHING;
    case 'number':
    case 'boolean':
      return new Whole(JSON_TYPE, JSON.stringify(value));
    case 'object':
      break;
    default:
      throw unsendable(`a ${typeof value}`);
  }
  if (value === null) return NOTHING;
  if (ArrayBuffer.isView(value)) return new Whole(BYTES, asBuffer(value));
  if (value instanceof ArrayBuffer) return new Whole(BYTES, Buffer.from(value));
  if (typeof value[Symbol.asyncIterator] === 'function') return new Stream(value);
  if (typeof value.next === 'function' && typeof value[Symbol.iterator] === 'function') {
    return new Stream(value);
  }
  if (value[Symbol.toStringTag] === 'Response' && typeof value.arrayBuffer === 'function') {
    return new Stream(value.body ?? [], value.status, [...value.headers]);
  }
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new ReturnError(`the handler returned a value that is no JSON: ${error.message}`);
  }
  if (text === undefined) throw unsendable('an object whose toJSON gives nothing');
  return new Whole(JSON_TYPE, text);
}

function unsendable(what) {
  return new ReturnError(
    `the handler returned ${what}; it may return text, bytes, a JSON value, nothing, ` +
      'a Response, or a stream or iterator of text or bytes',
  );
}

/** One chunk of a stream as a string or bytes. */
function chunk(value) {
  if (typeof value === 'string') return value;
  if (ArrayBuffer.isView(value)) return asBuffer(value);
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  throw new ReturnError(
    `the handler's stream gave a ${value === null ? 'null' : typeof value}; it may give text or bytes`,
  );
}

function asBuffer(view) {
  return Buffer.isBuffer(view) ? view : Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

module.exports = { ReturnError, Stream, TEXT, Whole, answer, chunk };
