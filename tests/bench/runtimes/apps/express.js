// Express: JSON in, JSON out; below /sleep after 20 ms.
'use strict';

const express = require('express');

const app = express();
app.use(express.json({ limit: '1mb' }));
app.post('/', (request, response) => response.json(request.body));
app.post('/sleep', (request, response) => setTimeout(() => response.json(request.body), 20));
app.listen(Number(process.env.PORT), '127.0.0.1');
