// node:http without a framework: JSON in, JSON out; below /sleep after 20 ms.
'use strict';

const http = require('node:http');

http
  .createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.from(JSON.stringify(JSON.parse(Buffer.concat(parts))));
      const answer = () => {
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-length': body.length,
        });
        response.end(body);
      };
      if (request.url === '/sleep') setTimeout(answer, 20);
      else answer();
    });
  })
  .listen(Number(process.env.PORT), '127.0.0.1');
