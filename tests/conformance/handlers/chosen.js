// Answers with a status and headers of its own choice.
'use strict';

module.exports.handler = (event) => {
  const response = event.extensions.response;
  switch (event.data) {
    case 'status':
      response.status(201).send('made');
      break;
    case 'headers':
      response.status(202).set('X-A', 'b').type('image/png').end('x');
      break;
    case 'split':
      response.set('X-A', 'b\r\nX-Split: c').send('x');
      break;
    default:
      response.status(204).end();
  }
};
