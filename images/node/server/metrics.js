// Metrics: counters of calls, and their Prometheus text.
//
// A call is one execution of the handler; a failure is a call answered with 5xx or
// 408. Buckets hold their own calls only and are summed up when they are shown. The
// numbers stand on the board: every worker counts in its own region and shows the sum
// of all, and one that dies takes none along.
'use strict';

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

/** Numbers of one worker. */
const COUNTERS = METHODS.length * WIDTH;

class Metrics {
  #counters;
  #all;
  #starts = new Map(METHODS.map((method, index) => [method, index * WIDTH]));

  /**
   * @param {Float64Array} counters this worker's
   * @param {Float64Array[]} all every worker's, its own among them
   */
  constructor(counters, all) {
    this.#counters = counters;
    this.#all = all;
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
  }

  /** The exposition. Only methods that were seen are shown. */
  render() {
    const seconds = [];
    const calls = [];
    const failures = [];
    const counters = Array.from({ length: COUNTERS }, (_, index) =>
      this.#all.reduce((sum, one) => sum + one[index], 0),
    );
    for (const [method, start] of this.#starts) {
      const buckets = counters.slice(start, start + SUM);
      const count = buckets.reduce((sum, value) => sum + value, 0);
      if (!count) continue;
      const label = `method="${method}"`;
      let below = 0;
      buckets.forEach((value, index) => {
        below += value;
        const bound = index < BUCKETS.length ? bucketName(BUCKETS[index]) : '+Inf';
        seconds.push(`function_duration_seconds_bucket{${label},le="${bound}"} ${below}`);
      });
      seconds.push(`function_duration_seconds_sum{${label}} ${counters[start + SUM]}`);
      seconds.push(`function_duration_seconds_count{${label}} ${count}`);
      calls.push(`function_calls_total{${label}} ${count}`);
      failures.push(`function_failures_total{${label}} ${counters[start + FAILURES]}`);
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

module.exports = { BUCKETS, CONTENT_TYPE, COUNTERS, METHODS, Metrics, OTHER };
