// Express' request and response for Node's, without its router: the prototypes of
// Express itself, on an application that only holds its settings.
'use strict';

const application = require('express/lib/application');
const requestPrototype = require('express/lib/request');
const responsePrototype = require('express/lib/response');

const app = Object.assign(Object.create(application), {
  cache: {},
  engines: {},
  settings: {},
  locals: Object.create(null),
  mountpath: '/',
  on() {},
});
app.defaultConfiguration();
app.set('query parser', 'extended'); // a[b]=c as Express 4, which handlers were written for
app.set('env', 'production');

const request = Object.create(requestPrototype, { app: { value: app, configurable: true, writable: true } });
const response = Object.create(responsePrototype, { app: { value: app, configurable: true, writable: true } });

/**
 * Make a call's request and response Express'.
 * @param {Buffer | undefined} body undefined for one that the handler shall read
 * @param {(error: Error) => void} failed told what Express tells `next`
 */
function dress(call, body, failed) {
  const { request: req, response: res } = call;
  Object.setPrototypeOf(req, request);
  Object.setPrototypeOf(res, response);
  req.res = res;
  res.req = req;
  res.locals = Object.create(null);
  req.originalUrl = req.url;
  req.baseUrl = '';
  req.params = { 0: req.path };
  req.next = (error) => error && failed(error);
  if (body !== undefined) {
    req.body = body;
    req._body = true; // body-parser's sign: it is read
  }
}

module.exports = { dress };
