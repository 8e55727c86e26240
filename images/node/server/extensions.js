// event.extensions: the request and the response, as Express has them.
//
// Node's own objects are dressed at the first look at one of them: an ordinary call
// pays nothing for Express. From then on the answer is the handler's to finish, and
// what it returns is sent only when it did not.
'use strict';

class Extensions {
  #app;
  #call;
  #body;
  #dressed = false;

  constructor(app, call, body) {
    this.#app = app;
    this.#call = call;
    this.#body = body;
  }

  get request() {
    this.#dress();
    return this.#call.request;
  }

  get response() {
    this.#dress();
    return this.#call.response;
  }

  #dress() {
    if (this.#dressed) return;
    this.#dressed = true;
    this.#app.own(this.#call);
    require('./express').dress(this.#call, this.#body, (error) => this.#app.failed(this.#call, error));
  }
}

// Found by whoever lists, prints or spreads an object's own classes' accessors.
for (const name of ['request', 'response']) {
  Object.defineProperty(Extensions.prototype, name, { enumerable: true });
}

module.exports = { Extensions };
