// Where a text stops being JSON (RFC 8259). V8's own messages name the position in some
// versions and for some errors only, and every runtime answers alike.
'use strict';

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
// eslint-disable-next-line no-control-regex -- a JSON string must not hold them
const CHARACTERS = /[^"\\\x00-\x1f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** What is wrong with a text that is no JSON, and where: the first error. */
function explain(text) {
  const [what, at] = find(text);
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  return `${what}: line ${line} column ${column} (char ${at})`;
}

/** [what, where] of the first error. Keeps its own stack: nesting is the sender's choice. */
function find(text) {
  let at = 0;
  const open = [];
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found !== null;
  };
  const is = (character) => {
    take(SPACE);
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  /** Read a string; the error, if there is one. */
  const string = () => {
    const start = at;
    at += 1;
    for (;;) {
      take(CHARACTERS);
      if (text[at] === '"') {
        at += 1;
        return undefined;
      }
      if (at >= text.length) return ['Unterminated string', start];
      if (text[at] !== '\\') return ['Invalid control character', at];
      if (!take(ESCAPE)) return ['Invalid escape', at];
    }
  };
  const name = () => {
    take(SPACE);
    if (text[at] !== '"') return ['Expected a name in double quotes', at];
    const wrong = string();
    if (wrong) return wrong;
    return is(':') ? undefined : ["Expected ':'", at];
  };

  for (;;) {
    // A value begins here.
    take(SPACE);
    if (text[at] === '[') {
      at += 1;
      if (!is(']')) {
        open.push(']');
        continue;
      }
    } else if (text[at] === '{') {
      at += 1;
      if (!is('}')) {
        open.push('}');
        const wrong = name();
        if (wrong) return wrong;
        continue;
      }
    } else if (text[at] === '"') {
      const wrong = string();
      if (wrong) return wrong;
    } else if (!take(NUMBER) && !take(WORD)) {
      return ['Expected a value', at];
    }
    // A value ended here.
    while (open.length && is(open.at(-1))) open.pop();
    if (!open.length) {
      take(SPACE);
      return at < text.length ? ['Extra data', at] : ['Nested too deeply', at];
    }
    if (!is(',')) return [`Expected ',' or '${open.at(-1)}'`, at];
    if (open.at(-1) === '}') {
      const wrong = name();
      if (wrong) return wrong;
    }
  }
}

module.exports = { explain };
