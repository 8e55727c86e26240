// Metrics: counters of calls, and their Prometheus text.
//
// A call is one execution of the handler; a failure is a call answered with 5xx or
// 408. Buckets hold their own calls only and are summed up when they are shown.
'use strict';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'OTHER'];

/** Upper bounds of the histogram's buckets in seconds; one more without a bound follows. */
const BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180,
];
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

class Metrics {
  #rows = new Map(
    METHODS.map((method) => [method, { buckets: new Float64Array(BUCKETS.length + 1), sum: 0, failures: 0 }]),
  );

  /** Count one call. */
  record(method, seconds, failed) {
    const row = this.#rows.get(method) ?? this.#rows.get('OTHER');
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > BUCKETS[bucket]) bucket += 1;
    row.buckets[bucket] += 1;
    row.sum += seconds;
    if (failed) row.failures += 1;
  }

  /** The exposition. Only methods that were seen are shown. */
  render() {
    const seconds = [];
    const calls = [];
    const failures = [];
    for (const [method, row] of this.#rows) {
      const count = row.buckets.reduce((sum, value) => sum + value, 0);
      if (!count) continue;
      const label = `method="${method}"`;
      let below = 0;
      row.buckets.forEach((value, index) => {
        below += value;
        const bound = index < BUCKETS.length ? bucketName(BUCKETS[index]) : '+Inf';
        seconds.push(`function_duration_seconds_bucket{${label},le="${bound}"} ${below}`);
      });
      seconds.push(`function_duration_seconds_sum{${label}} ${row.sum}`);
      seconds.push(`function_duration_seconds_count{${label}} ${count}`);
      calls.push(`function_calls_total{${label}} ${count}`);
      failures.push(`function_failures_total{${label}} ${row.failures}`);
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

module.exports = { CONTENT_TYPE, Metrics };
