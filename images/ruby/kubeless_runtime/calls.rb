# frozen_string_literal: true

module KubelessRuntime
  # Raised in a handler whose time is over. Not a StandardError: `rescue => e` lets it through.
  class RequestTimeout < Exception # rubocop:disable Lint/InheritException
    NEVER = { self => :never }.freeze
    IMMEDIATE = { self => :immediate }.freeze
  end

  # One running request. Made once per slot and reused.
  class Call
    FREE = 0
    RUNNING = 1
    # The watchdog gave the answer, or cut the stream off.
    ANSWERED = 2
    STUCK = 3

    attr_reader :slot, :lock
    attr_accessor :state, :raised, :thread, :env, :started, :deadline, :streaming

    def initialize(slot)
      @slot = slot
      @lock = Mutex.new
      @state = FREE
      @raised = 0
    end
  end

  # Running calls and their end when time runs out.
  #
  # Every thread of the server holds RequestTimeout back (a mask that threads inherit);
  # only the handler itself runs without. So the exception can neither hit the server's
  # own code nor the next call:
  #
  # - At the deadline the watchdog raises RequestTimeout in the handler's thread: a loop,
  #   a sleep, a wait for a lock or a socket end, `ensure` runs, the thread answers 408.
  # - A handler still busy after LATE seconds is answered for by the watchdog.
  # - After AGAIN seconds it is raised once more, for handlers that rescue Exception;
  #   not sooner, so that an `ensure` has time.
  # - A thread that has not left after GRACE seconds is stuck: the worker is retired.
  # - What ended calls held open (sockets, files) is closed by a collection soon after.
  # - A thread that leaves takes back, under the call's lock, what was raised too late.
  class Calls
    LATE = 0.08
    AGAIN = 0.25
    GRACE = 0.5

    # Seconds after a timeout until the collector looks for what the handler left.
    TIDY = 1.0

    def initialize(board, region, config, on_timeout:, on_stuck:)
      @board = board
      @region = region
      @timeout = config.timeout
      @limit = config.concurrency
      @on_timeout = on_timeout
      @on_stuck = on_stuck
      @calls = Array.new(Config::SLOTS) { |slot| Call.new(slot) }
      @free = @calls.reverse
      @used = 0
      @lock = Mutex.new
      @stuck = 0
      @tidy = nil
    end

    # Calls that never end by themselves.
    attr_reader :stuck

    # Take a slot and start the clock; nil when the limit is reached.
    def begin(env)
      return nil if @limit.positive? && !enter

      call = @free.pop
      unless call
        leave
        return nil
      end
      @used = call.slot + 1 if call.slot >= @used
      call.env = env
      call.thread = Thread.current
      call.started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      call.deadline = call.started + @timeout
      call.raised = 0
      call.streaming = false
      @region.deadline(call.slot, call.deadline)
      call.state = Call::RUNNING # last: the watchdog looks at nothing before
      call
    end

    # Leave the handler: whether the answer is still this thread's to give, as :ours, :timeout or :given.
    def finish(call)
      state = nil
      call.lock.synchronize do
        state = call.state
        call.state = Call::FREE
      end
      timed_out = call.raised.positive?
      absorb(call.raised)
      Children.kill(call.thread, call.started) if timed_out
      free(call) unless state == Call::STUCK # it came back after all, in a worker that is going
      return :given unless state == Call::RUNNING

      timed_out ? :timeout : :ours
    end

    # The watchdog's loop: looks at deadlines, sleeps until the next, and ends when +control+ is readable.
    def watch(control)
      loop do
        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        wake = now + @timeout # a call that begins later has its deadline later
        @used.times do |slot|
          call = @calls[slot]
          next if call.state == Call::FREE || call.state == Call::STUCK

          due = look(call, now)
          wake = due if due < wake
        end
        wake = [wake, tidy(now)].min
        pause = wake - Process.clock_gettime(Process::CLOCK_MONOTONIC)
        return if IO.select([control], nil, nil, pause.positive? ? pause : 0)
      end
    end

    private

    # Does what is due for a call; when to look again.
    def look(call, now)
      stuck = false
      due = call.lock.synchronize do
        next Float::INFINITY unless call.state == Call::RUNNING || call.state == Call::ANSWERED

        late = now - call.deadline
        next call.deadline if late.negative?

        # The supervisor's turn comes when this thread does not get to run any more.
        @region.deadline(call.slot, now + GRACE)
        if call.raised.zero?
          call.raised = 1
          @tidy ||= now + TIDY
          call.thread.raise(RequestTimeout, 'the call ran longer than the timeout')
        elsif late >= AGAIN && call.raised == 1
          call.raised = 2
          Children.kill(call.thread, call.started) # an `ensure` may wait for them
          call.thread.raise(RequestTimeout, 'the call ran longer than the timeout')
        end
        if late >= LATE && call.state == Call::RUNNING
          call.state = Call::ANSWERED
          @on_timeout.call(call)
        end
        if late >= GRACE
          call.state = Call::STUCK
          stuck = true
        end
        call.deadline + [LATE, AGAIN, GRACE].find(-> { GRACE }) { |time| late < time }
      end
      return due unless stuck

      abandon(call)
      @on_stuck.call(call)
      Float::INFINITY
    end

    # Collect what ended calls held open, when that is due; when to look again.
    def tidy(now)
      return Float::INFINITY unless @tidy
      return @tidy if now < @tidy

      @tidy = nil
      GC.start
      Float::INFINITY
    end

    # Take back what was raised and has not arrived: the server's code must never see it. What
    # waits is raised on entry. (Thread.pending_interrupt? with a class crashes Ruby when something waits.)
    def absorb(times)
      times.times do
        Thread.handle_interrupt(RequestTimeout::IMMEDIATE) { nil }
      rescue RequestTimeout
        next
      end
    end

    def free(call)
      @region.deadline(call.slot, Board::Region::FREE)
      call.env = call.thread = nil
      leave
      @free << call
    end

    # A call that never ends: its slot is lost, the limit is not.
    def abandon(call)
      @lock.synchronize { @stuck += 1 }
      @region.deadline(call.slot, Board::Region::TAKEN)
      leave
    end

    # Count this call against the limit of the pod: first in, then look, so never above.
    def enter
      @lock.synchronize do
        @region.add(Board::Region::ACTIVE, 1.0)
        next true if @board.active <= @limit

        @region.add(Board::Region::ACTIVE, -1.0)
        false
      end
    end

    def leave
      @lock.synchronize { @region.add(Board::Region::ACTIVE, -1.0) } if @limit.positive?
    end
  end
end
