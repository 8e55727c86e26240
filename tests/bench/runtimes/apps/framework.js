// The handlers for functions-framework.
'use strict';

exports.echo = (request, response) => response.json(request.body);
exports.sleep = (request, response) => setTimeout(() => response.json(request.body), 20);
