// Returns the value that the path names.
'use strict';

const VALUES = {
  '/text': 'text é',
  '/empty': '',
  '/bytes': Buffer.from([0x00, 0xff, 0xfe]),
  '/object': { a: 1, é: [true, null] },
  '/list': [1, null],
  '/number': 42,
  '/float': 1.5,
  '/true': true,
  '/false': false,
  '/zero': 0,
  '/nothing': undefined,
  '/large': 'x'.repeat(2_000_000),
};

module.exports.handler = (event) => VALUES[event.extensions.request.path];
