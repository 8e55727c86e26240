// Fails in the way that the request's body names; 'ok' without one.
'use strict';

module.exports.handler = (event) => {
  const how = event.data;
  if (how === 'raise') {
    throw new Error('a secret of the function');
  }
  if (how === 'reject') {
    return Promise.reject(new Error('a secret of the function'));
  }
  if (how === 'exit') {
    process.exit(3);
  }
  if (how === 'recurse') {
    return module.exports.handler(event);
  }
  if (how === 'unsendable') {
    const circle = {};
    circle.self = circle;
    return circle;
  }
  return 'ok';
};
