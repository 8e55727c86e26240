// Answers with what it was called with, as JSON; texts of the event's data in base64.
'use strict';

const EVENT = ['event-id', 'event-type', 'event-time', 'event-namespace'];

module.exports.handler = (event, context) => {
  const request = event.extensions.request;
  const shown = { ...context };
  context.changed = true; // the next call must not see this
  return {
    data: describe(event.data),
    event: Object.fromEntries(EVENT.map((key) => [key, event[key] ?? null])),
    keys: Object.keys(event).sort(),
    context: shown,
    method: request.method,
    path: request.path,
    query: request.url.split('?')[1] ?? '',
    headers: { ...request.headers },
  };
};

function describe(data) {
  if (typeof data === 'string' || Buffer.isBuffer(data)) {
    return { type: typeof data, base64: Buffer.from(data).toString('base64') };
  }
  return { type: typeof data, value: data === undefined ? null : data };
}
