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
    attr_accessor :state, :raised, :raised_at, :own, :thread, :env, :arrived, :started, :deadline, :streaming

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
  # - A call's time begins when its request arrived, also where it had to wait for handlers
  #   that compute; SHORTEST seconds are its own at least.
  # - At the deadline the watchdog raises RequestTimeout in the handler's thread: a loop,
  #   a sleep, a wait for a lock or a socket end, `ensure` runs, the thread answers 408.
  # - A handler still busy after LATE seconds is answered for by the watchdog; at once
  #   when the watchdog itself had to wait for its turn, as that thread will have to.
  # - After AGAIN seconds it is raised once more, for handlers that rescue Exception;
  #   not sooner, so that an `ensure` has time.
  # - A thread that has not left after GRACE seconds of which the worker had its part (OwnTime),
  #   and has had a turn since, is stuck: the worker is retired.
  # - What ended calls held open (sockets, files) is closed by a collection soon after.
  # - A thread that leaves takes back, under the call's lock, what was raised too late.
  class Calls
    LATE = 0.08
    AGAIN = 0.25
    GRACE = 0.5

    # Seconds between looks at what does not end.
    LOOK = 0.05

    # Seconds for which nothing began while calls ran: one of them may have computed; and for how
    # long the kernel is asked then when each request came.
    QUIET = 0.01
    ASKING = 0.1

    # Seconds that a call has for itself, however long it waited (less when the timeout is).
    SHORTEST = 0.1

    # Where the kernel's struct tcp_info has the milliseconds since data came last (linux/tcp.h).
    LAST_DATA_RECEIVED = 52

    # The longest tick of the clock that those are counted by, in seconds.
    CLOCK_TICK = 0.01

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
      @began = @ask_until = 0.0
      @watchdog = Watchdog.new(self)
    end

    # Calls that were given up and have not ended since.
    attr_reader :stuck

    # Calls that run now, those included.
    def running
      Config::SLOTS - @free.size
    end

    # Whether a running call may have held the interpreter until now, and others had to wait.
    def held?
      @free.size < Config::SLOTS && Process.clock_gettime(Process::CLOCK_MONOTONIC) - @began > QUIET
    end

    # Take a slot and start the clock; nil when the limit is reached.
    def begin(env)
      return nil if @limit.positive? && !enter

      call = @free.pop
      unless call
        leave
        return nil
      end
      @used = call.slot + 1 if call.slot >= @used
      now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @ask_until = now + ASKING if now - @began > QUIET && running > 1 # this one runs already
      call.arrived = now < @ask_until ? arrival(env, now) : now
      @began = call.started = now
      call.env = env
      call.thread = Thread.current
      call.deadline = [call.arrived + @timeout, now + [@timeout, SHORTEST].min].max
      call.raised = 0
      call.own = nil
      call.streaming = false
      @region.deadline(call.slot, call.deadline)
      call.state = Call::RUNNING # last: the watchdog looks at nothing before
      @watchdog.crowd
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
      if state == Call::STUCK # it came back after all, in a worker that is going
        @lock.synchronize { @stuck -= 1 }
      else
        free(call)
      end
      return :given unless state == Call::RUNNING

      timed_out ? :timeout : :ours
    end

    # Look at deadlines until +control+ is readable.
    def watch(control)
      @watchdog.watch(control)
    end

    # The watchdog's work: do what is due; when to look again. +asked+ is the time at which its
    # thread had asked for its turn: those that asked before have had theirs since.
    #
    # All is done in one turn. What would end the turn, such as writing to the log, is put on
    # +after+ (Procs), for the watchdog to do when others may look.
    def look(asked, after)
      now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      wake = now + @timeout # a call that begins later has its deadline later
      @used.times do |slot|
        call = @calls[slot]
        next if call.state == Call::FREE || call.state == Call::STUCK

        due = look_at(call, now, asked, after)
        wake = due if due < wake
      end
      [wake, tidy(now, after)].min
    end

    private

    # Does what is due for a call; when to look again.
    def look_at(call, now, asked, after)
      call.lock.synchronize do
        next Float::INFINITY unless call.state == Call::RUNNING || call.state == Call::ANSWERED

        late = now - call.deadline
        next call.deadline if late.negative?

        # The supervisor's turn comes when this thread does not get to run any more.
        @region.deadline(call.slot, now + GRACE)
        if call.raised.zero?
          @tidy ||= now + TIDY
          interrupt(call, now)
        elsif late >= AGAIN
          thread = call.thread
          started = call.started
          if call.raised == 1
            interrupt(call, now)
            after << -> { kill_children(call, thread, started) } # an `ensure` may wait for them
          elsif asked > call.raised_at
            after << -> { give_up(call, thread, started) }
          end
        end
        if call.state == Call::RUNNING && (late >= LATE || now - asked >= LATE / 2)
          call.state = Call::ANSWERED
          after << @on_timeout.call(call)
        end
        late < AGAIN ? call.deadline + (late < LATE ? LATE : AGAIN) : now + LOOK
      end
    end

    def interrupt(call, now)
      call.raised += 1
      call.raised_at = now
      call.thread.raise(RequestTimeout, 'the call ran longer than the timeout')
    end

    def kill_children(call, thread, started)
      while_running(call, thread, started) do
        Children.kill(thread, started)
        # The thread may have waited for the lock: its turn comes now.
        call.raised_at = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        call.own = OwnTime.new(Process.pid)
      end
    end

    # Count a call as stuck whose thread had the time to leave.
    def give_up(call, thread, started)
      path = while_running(call, thread, started) do
        next unless call.own && call.own.look(from: Thread.current.native_thread_id) >= GRACE - AGAIN

        call.state = Call::STUCK
        abandon(call)
        call.env['PATH_INFO']
      end
      @on_stuck.call(path) if path
    end

    # Under its lock the call can't end, and the thread can't have begun another.
    def while_running(call, thread, started)
      call.lock.synchronize do
        running = call.state == Call::RUNNING || call.state == Call::ANSWERED
        yield if running && call.thread.equal?(thread) && call.started == started
      end
    end

    # When the last of a request's bytes came, or a little later.
    def arrival(env, now)
      info = env['puma.socket'].getsockopt(:TCP, :INFO).data
      waited = (info.unpack1('L', offset: LAST_DATA_RECEIVED) / 1000.0) - CLOCK_TICK
      now - [waited, 0.0].max
    rescue SystemCallError, IOError, ArgumentError
      now # not every kernel tells
    end

    # Collect what ended calls held open, when that is due; when to look again.
    def tidy(now, after)
      return Float::INFINITY unless @tidy
      return @tidy if now < @tidy

      @tidy = nil
      after << -> { GC.start }
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
