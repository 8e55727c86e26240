// Reads a request's body up to the limit, and what follows a refused one.
'use strict';

const EMPTY = Buffer.alloc(0);

/** Bytes of a refused body that are still read, and milliseconds for which. */
const DISCARD = 8 * 1024 * 1024;
const DISCARD_TIME = 1000;

/** Whether a request says that its body is larger than the limit. */
function announcesTooMuch(request, limit) {
  const length = request.headers['content-length'];
  return length !== undefined && Number(length) > limit;
}

/** Whether a request may have a body. */
function mayHaveBody({ headers }) {
  return headers['content-length'] !== undefined
    ? headers['content-length'] !== '0'
    : headers['transfer-encoding'] !== undefined;
}

/**
 * Read a body.
 * @param {(body: Buffer) => void} done
 * @param {() => void} tooLarge called instead when it is over the limit
 * @param {() => void} left called instead when the client leaves half-way
 */
function read(request, limit, done, tooLarge, left) {
  const chunks = [];
  let size = 0;
  let whole = false;
  const take = (chunk) => {
    size += chunk.length;
    if (size > limit) {
      request.off('data', take);
      request.off('end', end);
      tooLarge();
      return;
    }
    chunks.push(chunk);
  };
  const end = () => {
    whole = true;
    done(chunks.length === 1 ? chunks[0] : size ? Buffer.concat(chunks, size) : EMPTY);
  };
  request.on('data', take);
  request.on('end', end);
  request.on('close', () => whole || left());
}

/** Read on for a while: most clients look for an answer when all is sent. */
function discard(request, done) {
  let size = 0;
  const timer = setTimeout(finish, DISCARD_TIME);
  function finish() {
    clearTimeout(timer);
    request.off('data', count);
    request.pause();
    done();
  }
  function count(chunk) {
    size += chunk.length;
    if (size > DISCARD) finish();
  }
  request.on('data', count);
  request.once('end', finish);
  request.once('close', finish);
}

module.exports = { EMPTY, announcesTooMuch, discard, mayHaveBody, read };
