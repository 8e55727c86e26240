# frozen_string_literal: true

module KubelessRuntime
  # The threads that look at deadlines, in time also while handlers compute.
  #
  # Ruby's threads take turns at one interpreter, in the order in which they asked for it,
  # and a handler that computes keeps it for a slice of 20 ms. Beside 32 of them a single
  # thread that asks at a deadline would be let in 640 ms later. So where calls run beside
  # each other *relays* ask too, one every TICK, from as long before the deadline as the
  # queue may take: their turns come one every TICK as well, the first of them in time.
  # Without a queue they find nothing due, and sleep until shortly before the next deadline.
  class Watchdog
    # Seconds between two relays' places in the queue, and calls at once per relay: two slices.
    TICK = 0.04
    CALLS = 2

    # Up to which this keeps pace: 64 loops at once.
    RELAYS = 32

    def initialize(calls)
      @calls = calls
      @lock = Mutex.new
      @looking = Mutex.new
      @relays = 0
      @due = 0.0
      @waited = 0.0
    end

    # Look whenever something is due, until +control+ is readable.
    def watch(control)
      asked = now
      loop do
        due = look(asked)
        asked = [due, now].max
        return if IO.select([control], nil, nil, [asked - now, 0].max)
      end
    end

    # One more call runs: have a relay for every few of them.
    def crowd
      add if @calls.running > (@relays + 1) * CALLS && @relays < RELAYS
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # One thread at a time: what another looks at needs no second look. +asked+ is when this
    # one asked for its turn.
    def look(asked)
      after = []
      @waited = [now - asked, @waited * 0.9].max
      if @looking.try_lock
        begin
          @due = @calls.look(asked, after)
        ensure
          @looking.unlock
        end
      end
      after.each(&:call)
      @due
    end

    def add
      number = @lock.synchronize do
        return if @relays >= RELAYS

        @relays += 1
      end
      asked = now
      Thread.new { relay(number, asked) }.priority = 0
    end

    def relay(number, asked)
      loop do
        look(asked)
        return if gone?

        asked = place(number)
        pause = asked - now
        pause.positive? ? sleep(pause) : Thread.pass # to the end of the queue either way
      end
    end

    # When the relay of this number asks again: each has its place in a round, and rounds begin as
    # long before the next deadline as the queue may take. What it took of late counts where that is
    # more: on a busy machine slices are longer.
    def place(number)
      relays = (@calls.running / CALLS).clamp(1, RELAYS)
      step = [TICK, @waited / relays].max
      round = relays * step
      first = @due - (1.5 * round) + (number * step)
      late = now - first
      late.positive? ? first + ((late / round).ceil * round) : first
    end

    # Whether far fewer relays will do; this one is not counted any more then. One that is spare for
    # a moment stays: it costs less asleep than made anew.
    def gone?
      @lock.synchronize do
        next false if @calls.running * 4 > @relays * CALLS

        @relays -= 1
        true
      end
    end
  end
end
