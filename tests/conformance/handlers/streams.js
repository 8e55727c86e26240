// Streams what the path names.
'use strict';

let open;
const gate = new Promise((resolve) => { open = resolve; });
let closed = 0;

module.exports.handler = (event) => {
  const path = event.extensions.request.path;
  if (path === '/go') {
    open();
    return 'gone';
  }
  if (path === '/closed') {
    return closed;
  }
  return { '/waiting': waiting, '/failing': failing, '/endless': endless }[path]();
};

// The second part only after a call of /go.
async function* waiting() {
  yield 'first';
  await gate;
  yield Buffer.alloc(0);
  yield 'second é';
}

async function* failing() {
  yield 'part';
  throw new Error('half-way');
}

async function* endless() {
  try {
    for (;;) {
      yield Buffer.alloc(65536, 'x');
    }
  } finally {
    closed += 1;
  }
}
