// Ours: answers with the event's data.
'use strict';

module.exports.handler = (event) => event.data;
