// Access log: one line a request on standard output, in the common form.
//
//     10.0.0.1 - - [23/Nov/2026:06:29:00 +0000] "GET / HTTP/1.1" 200 11 "" "curl/8.0" 0/532
//
// The last field is the duration: whole seconds / microseconds. What a client sent
// is escaped, so that a request can't forge a line. Lines that come at once are written
// together: a system call for each would cost a tenth of the rate.
'use strict';

const { writeText } = require('./log');

/** Milliseconds that a line may wait for others. */
const GATHER = 5;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

class AccessLog {
  #lines = '';
  #second = -1;
  #stamp = '';
  #flush = () => this.flush();

  /** Log one answered request. `size` is the body's, in bytes. */
  write(request, address, status, size, seconds) {
    const { headers } = request;
    if (this.#lines === '') setTimeout(this.#flush, GATHER);
    this.#lines +=
      `${plainAddress(address)} - - [${this.#now()}] "${request.method} ${target(request.url)} ` +
      `HTTP/${request.httpVersion}" ${status} ${size} "${escape(headers.referer ?? '')}" ` +
      `"${escape(headers['user-agent'] ?? '')}" ${Math.trunc(seconds)}/${Math.trunc(seconds * 1e6)}\n`;
  }

  /** Write what is waiting. */
  flush() {
    const lines = this.#lines;
    this.#lines = '';
    if (lines) writeText(1, lines);
  }

  #now() {
    const now = Date.now();
    const second = Math.trunc(now / 1000);
    if (second !== this.#second) {
      const t = new Date(now);
      const two = (number) => String(number).padStart(2, '0');
      this.#second = second;
      this.#stamp =
        `${two(t.getUTCDate())}/${MONTHS[t.getUTCMonth()]}/${t.getUTCFullYear()}:` +
        `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())} +0000`;
    }
    return this.#stamp;
  }
}

/** The address of a client; IPv4 as itself although the socket speaks both families. */
function plainAddress(address) {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** The path, its escapes undone (and done again for what can't be shown), with the query. */
function target(url) {
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  const plain = path.includes('%')
    ? path.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(parseInt(code, 16)))
    : path;
  return escape(end < 0 ? plain : plain + url.slice(end));
}

/** Text of a client for a log line: quotes, backslashes and control characters as \xNN. */
function escape(text) {
  // Header values reach Node.js as latin-1: one character is one byte.
  return /[^\x20-\x7e]|["\\]/.test(text)
    ? text.replace(/[^\x20-\x7e]|["\\]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
    : text;
}

module.exports = { AccessLog, escape, plainAddress };
