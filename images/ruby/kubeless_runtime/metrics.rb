# frozen_string_literal: true

module KubelessRuntime
  # Metrics: counters on the board, and their Prometheus text.
  #
  # A call is one execution of the handler; a failure is a call answered with 5xx or
  # 408. Buckets hold their own calls only and are summed up when they are shown.
  module Metrics
    # Methods counted under their own name; any other is counted as OTHER.
    METHODS = %w[GET HEAD POST PUT PATCH DELETE OPTIONS OTHER].freeze

    # Upper bounds of the histogram's buckets in seconds; one more without a bound follows.
    BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
               60.0, 180.0].freeze

    SUM = BUCKETS.size + 1
    FAILURES = SUM + 1
    WIDTH = FAILURES + 1

    # Doubles that one worker's counters take.
    COUNTERS = METHODS.size * WIDTH

    CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

    # Counts the calls of one worker.
    class Recorder
      def initialize(region)
        @region = region
        @starts = METHODS.each_with_index.to_h { |method, index| [method, Board::Region::COUNTERS + (index * WIDTH)] }
        @starts.default = @starts['OTHER']
        @starts.freeze
        @lock = Mutex.new
      end

      def record(method, seconds, failed)
        start = @starts[method]
        bucket = BUCKETS.bsearch_index { |bound| bound >= seconds } || BUCKETS.size
        @lock.synchronize do
          @region.add(start + bucket, 1.0)
          @region.add(start + SUM, seconds)
          @region.add(start + FAILURES, 1.0) if failed
        end
      end
    end

    # The exposition of all workers' counters, dead ones included.
    def self.render(regions)
      totals = regions.map(&:counters).transpose.map(&:sum)
      seconds = []
      calls = []
      failures = []
      METHODS.zip(totals.each_slice(WIDTH)) do |method, row|
        count = row[0, SUM].sum
        next if count.zero?

        label = %(method="#{method}")
        below = 0
        [*BUCKETS, '+Inf'].zip(row) do |bound, value|
          below += value.to_i
          seconds << %(function_duration_seconds_bucket{#{label},le="#{bound}"} #{below})
        end
        seconds << "function_duration_seconds_sum{#{label}} #{row[SUM].round(9)}"
        seconds << "function_duration_seconds_count{#{label}} #{count.to_i}"
        calls << "function_calls_total{#{label}} #{count.to_i}"
        failures << "function_failures_total{#{label}} #{row[FAILURES].to_i}"
      end
      [
        "# HELP function_duration_seconds Duration of the function's calls in seconds.",
        '# TYPE function_duration_seconds histogram', *seconds,
        '# HELP function_calls_total Calls of the function.',
        '# TYPE function_calls_total counter', *calls,
        '# HELP function_failures_total Calls of the function that failed or ran out of time.',
        '# TYPE function_failures_total counter', *failures, ''
      ].join("\n")
    end
  end
end
