// From the source file to the handler.
//
// CommonJS and ES modules; what they import is looked for from their own folder
// upwards, where the server's packages are not.
'use strict';

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { Exit } = require('./faults');
const { importModule } = require('./import');
const { trace } = require('./trace');

const SUFFIXES = ['.js', '.mjs', '.cjs'];

/** The function can't be loaded. `message` is one line; `trace` the traceback, maybe empty. */
class LoadError extends Error {
  constructor(message, text = '') {
    super(message.replace(/\s+/g, ' ').trim());
    this.trace = text;
  }
}

/**
 * Run the module and find the handler.
 * @returns {Promise<(event: object, context: object) => unknown>}
 * @throws {LoadError} with the reason
 */
async function load(config, faults) {
  const source = find(config);
  if (source === undefined) throw new LoadError(missingFile(config));
  let exported;
  try {
    exported = isModule(source)
      ? await importModule(pathToFileURL(source).href)
      : createRequire(source)(source);
  } catch (error) {
    throw explain(error, config);
  }
  if (faults.exit) throw explain(faults.exit, config);
  return pick(exported, config);
}

/** Whether the source says that it looks at the request or the response. */
function usesExtensions(config) {
  const source = find(config);
  return source !== undefined && fs.readFileSync(source, 'utf8').includes('extensions');
}

/** Say why on standard error and in the pod's termination message. */
function report(error, terminationLog) {
  const text = `kubeless: ${error.message}\n${error.trace}`;
  fs.writeSync(2, text);
  try {
    // The kubelet keeps 4096 bytes; the reason stands first.
    fs.writeFileSync(terminationLog, text.slice(0, 4000));
  } catch {
    // Outside a pod there is no such file.
  }
}

function find(config) {
  return SUFFIXES.map((suffix) => `${config.volume}/${config.module}${suffix}`).find((file) =>
    fs.existsSync(file),
  );
}

/** Whether a file is an ES module: by name, by its package.json, or by what stands in it. */
function isModule(file) {
  if (file.endsWith('.mjs')) return true;
  if (file.endsWith('.cjs')) return false;
  for (let folder = path.dirname(fs.realpathSync(file)); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json');
    if (fs.existsSync(manifest)) {
      try {
        const { type } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
        if (type !== undefined) return type === 'module';
      } catch {
        // Node.js says what is wrong with it, when it reads it.
      }
      break;
    }
    if (folder === path.dirname(folder)) break;
  }
  const text = fs.readFileSync(file, 'utf8');
  return /^(?:import\b\s*[\w*{"'$]|export\b\s*(?:default|const|let|var|function|async|class|\{|\*))/m.test(text);
}

/** The handler among what a module exports. */
function pick(exported, config) {
  if (typeof exported === 'function') return exported; // module.exports = fn
  const name = config.function;
  const namespace = exported?.[Symbol.toStringTag] === 'Module';
  const places = namespace ? [exported, exported.default] : [exported];
  for (const place of places) {
    if (place === null || place === undefined || !(name in Object(place))) continue;
    const handler = place[name];
    if (typeof handler === 'function') return handler.bind(place);
    throw new LoadError(
      `'${name}' in module '${config.module}' is not a function but ${article(handler)}`,
    );
  }
  if (namespace && typeof exported.default === 'function') return exported.default;
  const there = new Set(
    places
      .flatMap((place) => Object.entries(Object(place)))
      .filter(([, value]) => typeof value === 'function')
      .map(([key]) => key),
  );
  const has = there.size ? `it has: ${[...there].sort().join(', ')}` : 'it exports no functions';
  throw new LoadError(`module '${config.module}' has no function '${name}'; ${has}`);
}

function article(value) {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The LoadError for what a module threw. */
function explain(error, config) {
  const module = `module '${config.module}'`;
  const text = trace(error);
  if (error instanceof Exit) {
    return new LoadError(
      `${module} ended the process while it was imported (exit code ${error.code})`,
      text,
    );
  }
  if (error instanceof SyntaxError) {
    const shown = [String(error.stack), checked(find(config))].find((one) => PLACE.test(one));
    const [, file, line] = PLACE.exec(shown ?? '') ?? [];
    const where = file ? ` in ${path.basename(file)}, line ${line}` : ` in ${module}`;
    return new LoadError(`${error.name}${where}: ${error.message}`, text);
  }
  if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
    const [, name] = /Cannot find (?:module|package) '([^']*)'/.exec(error.message) ?? [];
    if (name !== undefined) {
      const hint = /^[./]/.test(name)
        ? `${module} needs '${name}', and there is no such file`
        : `${module} needs '${name}', which is not installed: ` +
          "name it in the function's dependencies (package.json)";
      return new LoadError(hint, text);
    }
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : trace(error);
  return new LoadError(`${module} failed while it was imported: ${what}`, text);
}

/** Where a stack begins that is a syntax error's. */
const PLACE = /^(?:file:\/\/)?(.*?):(\d+)\n/;

/** What Node.js says of a file's syntax: an ES module's own error does not tell where. */
function checked(file) {
  const { spawnSync } = require('node:child_process');
  return spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr ?? '';
}

function missingFile(config) {
  const wanted = `${config.volume}/${config.module}.js`;
  let there;
  try {
    there = fs.readdirSync(config.volume).filter((name) => SUFFIXES.includes(path.extname(name)));
  } catch (error) {
    return `there is no ${wanted}: ${config.volume}: ${error.code}`;
  }
  return `there is no ${wanted}; ${config.volume} has: ${there.sort().join(', ') || 'no JavaScript file'}`;
}

module.exports = { LoadError, explain, load, report, usesExtensions };
