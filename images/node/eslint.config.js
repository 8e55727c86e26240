'use strict';

const js = require('@eslint/js');

const NODE = [
  'ArrayBuffer', 'Atomics', 'Buffer', 'SharedArrayBuffer', '__dirname', 'clearTimeout', 'console', 'module',
  'performance', 'process', 'require', 'setImmediate', 'setTimeout',
];

module.exports = [
  js.configs.recommended,
  {
    languageOptions: {
      ecmaVersion: 2023,
      sourceType: 'commonjs',
      globals: Object.fromEntries(NODE.map((name) => [name, 'readonly'])),
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'no-shadow': 'error',
      'no-unused-private-class-members': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      strict: ['error', 'global'],
    },
  },
];
