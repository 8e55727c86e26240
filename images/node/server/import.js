// Imports an ES module. A file of its own: compiled code that was kept can't import.
'use strict';

/** The namespace of the module at a file: URL. */
module.exports = { importModule: (url) => import(url) };
