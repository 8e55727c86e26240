// Metrics: counters of calls, and their Prometheus text.
//
// A call is one execution of the handler; a failure is a call answered with 5xx or
// 408. Buckets hold their own calls only and are summed up when they are shown. The
// numbers stand in a file of the supervisor's too: a server that dies takes none along.
'use strict';

const fs = require('node:fs');

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'OTHER'];
const OTHER = METHODS.indexOf('OTHER');

/** Upper bounds of the histogram's buckets in seconds; one more without a bound follows. */
const BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180,
];
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Numbers of one method: the buckets, the sum of seconds, the failures. */
const SUM = BUCKETS.length + 1;
const FAILURES = SUM + 1;
const WIDTH = FAILURES + 1;

class Metrics {
  #counters = new Float64Array(METHODS.length * WIDTH);
  #bytes = new Uint8Array(this.#counters.buffer);
  #starts = new Map(METHODS.map((method, index) => [method, index * WIDTH]));
  #descriptor;
  #saving = false;
  #save = () => this.save();

  /** @param {number} descriptor a file in which the numbers outlive the process; NaN for none */
  constructor(descriptor) {
    this.#descriptor = descriptor;
    if (descriptor >= 0) fs.readSync(descriptor, this.#bytes, 0, this.#bytes.length, 0);
  }

  /** Count one call. */
  record(method, seconds, failed) {
    const counters = this.#counters;
    const start = this.#starts.get(method) ?? OTHER * WIDTH;
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > BUCKETS[bucket]) bucket += 1;
    counters[start + bucket] += 1;
    counters[start + SUM] += seconds;
    if (failed) counters[start + FAILURES] += 1;
    if (!this.#saving) {
      this.#saving = true;
      setImmediate(this.#save);
    }
  }

  /** Write the numbers to the file: once a turn of the event loop. */
  save() {
    this.#saving = false;
    if (this.#descriptor >= 0) fs.writeSync(this.#descriptor, this.#bytes, 0, this.#bytes.length, 0);
  }

  /** The exposition. Only methods that were seen are shown. */
  render() {
    const seconds = [];
    const calls = [];
    const failures = [];
    for (const [method, start] of this.#starts) {
      const buckets = this.#counters.subarray(start, start + SUM);
      const count = buckets.reduce((sum, value) => sum + value, 0);
      if (!count) continue;
      const label = `method="${method}"`;
      let below = 0;
      buckets.forEach((value, index) => {
        below += value;
        const bound = index < BUCKETS.length ? bucketName(BUCKETS[index]) : '+Inf';
        seconds.push(`function_duration_seconds_bucket{${label},le="${bound}"} ${below}`);
      });
      seconds.push(`function_duration_seconds_sum{${label}} ${this.#counters[start + SUM]}`);
      seconds.push(`function_duration_seconds_count{${label}} ${count}`);
      calls.push(`function_calls_total{${label}} ${count}`);
      failures.push(`function_failures_total{${label}} ${this.#counters[start + FAILURES]}`);
    }
    return [
      "# HELP function_duration_seconds Duration of the function's calls in seconds.",
      '# TYPE function_duration_seconds histogram',
      ...seconds,
      '# HELP function_calls_total Calls of the function.',
      '# TYPE function_calls_total counter',
      ...calls,
      '# HELP function_failures_total Calls of the function that failed or ran out of time.',
      '# TYPE function_failures_total counter',
      ...failures,
      '',
    ].join('\n');
  }
}

/** 1 as 1.0: the same text from every runtime. */
function bucketName(bound) {
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}

module.exports = { CONTENT_TYPE, METHODS, Metrics, OTHER };
