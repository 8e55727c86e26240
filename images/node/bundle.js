// Makes build/server.js, one file of all of server/, and build/server.cache, its compiled code,
// for the Node.js that runs this. server/start.js uses them.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const v8 = require('node:v8');
const { Script } = require('node:vm');

const SERVER = path.join(__dirname, 'server');
const BUILD = path.join(__dirname, 'build');

/** What stays a file: the one that reads the bundle, and the one that needs V8's loader. */
const APART = ['start.js', 'import.js'];

/** A function of (require, __dirname) that runs main.js, as source. */
function bundle() {
  const modules = fs
    .readdirSync(SERVER)
    .filter((file) => !APART.includes(file))
    .map((file) => {
      const source = fs.readFileSync(path.join(SERVER, file), 'utf8');
      // eslint-disable-next-line no-control-regex -- so that it can be read as one byte a character
      if (/[^\x00-\x7f]/.test(source)) throw new Error(`${file} holds other characters than ASCII`);
      return `'./${path.basename(file, '.js')}': (module, require) => {\n${source}\n},\n`;
    });
  return `(require, __dirname) => {
const modules = {
${modules.join('')}};
const loaded = {};
const find = (name) => {
  if (!(name in modules)) return require(name);
  if (!(name in loaded)) {
    loaded[name] = { exports: {} };
    modules[name](loaded[name], find);
  }
  return loaded[name].exports;
};
find('./main');
}
`;
}

/** All of a source compiled, also what it does not call at once. */
function compile(source) {
  v8.setFlagsFromString('--no-lazy');
  const script = new Script(source, { filename: path.join(SERVER, 'main.js') });
  v8.setFlagsFromString('--lazy'); // as it runs, or it would not be taken
  return script.createCachedData();
}

const source = bundle();
fs.mkdirSync(BUILD, { recursive: true });
fs.writeFileSync(path.join(BUILD, 'server.js'), source);
fs.writeFileSync(path.join(BUILD, 'server.cache'), compile(source));
