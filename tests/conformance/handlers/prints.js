// Prints, and leaves the last line open.
'use strict';

module.exports.handler = () => {
  console.log('to stdout é');
  console.error('to stderr');
  process.stdout.write('an open line');
  return 'printed';
};
