# frozen_string_literal: true

require 'rubygems'
require_relative 'metrics'
require_relative 'board'
require_relative 'children'
require_relative 'own_time'
require_relative 'watchdog'
require_relative 'calls'
require_relative 'access'
require_relative 'document'
require_relative 'event'
require_relative 'response'
require_relative 'stream'
require_relative 'trace'
require_relative 'loader'
require_relative 'gems'
require_relative 'http'
require_relative 'app'
require_relative 'worker'

module KubelessRuntime
  # Process 1: owns the socket, forks workers, replaces them, drains.
  #
  # It loads the server's code, which its forks share, but nothing of the function, so
  # nothing a function does can block it.
  #
  # - A worker that asks to retire goes on until a fresh one is ready (at once when the
  #   concurrency is limited), takes nothing new, finishes, and is killed when it does not.
  # - A worker whose watchdog lets a deadline pass is held by native code: it is killed, when it had
  #   the time to do otherwise (OwnTime).
  # - A worker that dies is replaced; when that keeps happening, the server exits 1.
  # - SIGTERM: unready, accept for the drain delay, stop accepting, finish, exit 0.
  class Supervisor
    # Seconds past a deadline until a worker counts as held by native code.
    HELD = 1.0

    # As many seconds more for each call that runs: handlers that compute delay the watchdog.
    QUEUE = 0.04

    # Seconds between looks at a worker that lets a deadline pass.
    LOOK = 0.05

    # Retiring workers kept beside the serving ones; the oldest goes first.
    MAX_RETIRING = 2

    # More unexpected deaths than this within the window (seconds) end the server.
    MAX_DEATHS = 5
    DEATH_WINDOW = 30.0

    # What the supervisor knows of one worker. Times of the monotonic clock, 0 for never; +overdue+ is the
    # OwnTime that it had since it was seen to let a deadline pass.
    Child = Struct.new(:pid, :region, :control, :retiring_since, :successor, :stopped, :overdue, :killed) do
      def ready?
        region.set?(Board::Region::READY)
      end
    end

    def initialize(config, listener)
      @config = config
      @listener = listener
      @board = Board.new((config.workers * 2) + MAX_RETIRING + 2)
      @children = {}
      @deaths = []
      @drain_until = @stop_until = 0.0
      @exit_code = 0
      @wake, @waker = IO.pipe
    end

    # Serve until told to stop; the exit code.
    def run
      %w[TERM INT].each { |name| trap(name) { signalled(name) } }
      trap('CHLD') { @waker.write_nonblock('c', exception: false) }
      start while @children.size < @config.workers
      until @children.empty?
        @wake.wait_readable(until_next)
        @wake.read_nonblock(4096, exception: false)
        announce_drain
        reap
        retire
        kill_overdue
        drain
      end
      @exit_code
    end

    private

    def signalled(name)
      @signal ||= name
      @waker.write_nonblock('t', exception: false)
    end

    def announce_drain
      return unless @signal && @drain_until.zero?

      say "SIG#{@signal}: not ready any more, accepting for #{format('%g', @config.drain_delay)} s"
      @board.draining!
      @drain_until = now + @config.drain_delay
    end

    def start
      used = @children.each_value.map { |child| child.region.index }
      region = @board.regions.find { |candidate| !used.include?(candidate.index) }
      region.reset
      control, controller = IO.pipe
      pid = fork { work(region, control, controller) }
      control.close
      @children[pid] = Child.new(pid, region, controller, 0.0, nil, false, nil, false)
      pid
    end

    # In the fork.
    def work(region, control, controller)
      Process.setpgid(0, 0) # so that what a handler started goes with its worker
      %w[TERM INT CHLD].each { |name| trap(name, 'DEFAULT') }
      controller.close
      @wake.close
      @children.each_value { |child| child.control.close }
      @children.clear
      exit Worker.new(@config, @board, region, @listener, control, @waker).run
    end

    def reap
      loop do
        pid, status = Process.wait2(-1, Process::WNOHANG)
        return unless pid

        child = @children.delete(pid) or next # an orphan of some handler's
        kill_group(pid)
        child.control.close
        was_ready = child.ready?
        reported = child.region.set?(Board::Region::REPORTED)
        child.region.reset
        next if child.stopped || child.retiring_since.positive? || @stop_until.positive?

        was_ready ? replace(child, status) : not_loaded(status, reported)
      end
    rescue Errno::ECHILD
      nil
    end

    def not_loaded(status, reported)
      unless reported
        error = LoadError.new("the function's process was ended by #{how(status)} while it was imported")
        Loader.report(error, @config.termination_log)
      end
      give_up
    end

    def replace(child, status)
      unless child.killed
        @deaths = @deaths.select { |time| now - time < DEATH_WINDOW } << now
        say "a worker process ended unexpectedly (#{how(status)}); its requests failed"
        if @deaths.size > MAX_DEATHS
          say "#{@deaths.size} in #{DEATH_WINDOW.to_i} s: giving up"
          return give_up
        end
      end
      start
    end

    def give_up
      @exit_code = 1
      @stop_until = now if @stop_until.zero?
      @drain_until = @stop_until if @drain_until.zero?
      @children.each_value do |child|
        child.stopped = true
        kill_group(child.pid)
      end
    end

    # Replace workers that asked for it.
    def retire
      @children.values.each do |child|
        next unless child.region.set?(Board::Region::RETIRE) && child.retiring_since.zero? && @stop_until.zero?

        child.retiring_since = now
        child.successor = start
      end
      retiring = @children.values.select { |child| child.retiring_since.positive? && !child.killed }
      retiring.each do |child|
        successor = @children[child.successor]
        ready = successor.nil? || successor.ready? || @config.concurrency.positive?
        if ready && !child.stopped
          stop(child)
        elsif now > retire_limit(child)
          kill(child)
        end
      end
      retiring = retiring.reject(&:killed).sort_by(&:retiring_since)
      retiring[0...-MAX_RETIRING].each { |child| kill(child) } if retiring.size > MAX_RETIRING
    end

    # Until when a retiring worker may finish its calls: the last began when it was told.
    def retire_limit(child)
      child.retiring_since + @config.timeout + (2 * HELD)
    end

    # Kill workers that let a deadline pass and had time enough since: a busy machine holds nobody's deadline.
    def kill_overdue
      @children.each_value do |child|
        deadlines = child.region.deadlines
        if overdue_at(deadlines) > now
          child.overdue = nil
        elsif child.overdue.nil?
          child.overdue = OwnTime.new(child.pid)
        elsif !child.killed && child.overdue.look >= (HELD / 2) + ((deadlines.size - 1) * QUEUE)
          say 'a native call held the interpreter past the timeout; its process is replaced'
          kill(child)
        end
      end
    end

    # When the first of these is let pass; infinity without any.
    def overdue_at(deadlines)
      (deadlines.min || Float::INFINITY) + (HELD / 2)
    end

    def drain
      if @drain_until.positive? && now >= @drain_until && @stop_until.zero?
        @stop_until = now + @config.timeout + (2 * HELD)
        say 'no longer accepting, finishing what runs'
        @children.each_value do |child|
          child.ready? ? stop(child) : kill(child) # it still loads, and has nothing to finish
          child.stopped = true
        end
        @listener.close
      elsif @stop_until.positive? && now > @stop_until
        @children.each_value { |child| kill(child) }
      end
    end

    def stop(child)
      child.stopped = true
      child.control.write_nonblock('s', exception: false)
    rescue Errno::EPIPE
      nil # it is gone already
    end

    def kill(child)
      child.killed = true
      kill_group(child.pid)
    end

    def kill_group(pid)
      [-pid, pid].each do |target|
        Process.kill(:KILL, target)
      rescue Errno::ESRCH, Errno::EPERM
        next
      end
    end

    # Seconds until something may have to be done without being woken.
    def until_next
      # A call that begins later has its deadline later than this.
      times = [now + @config.timeout]
      @children.each_value do |child|
        times << (child.overdue ? now + LOOK : overdue_at(child.region.deadlines))
        times << retire_limit(child) if child.retiring_since.positive?
      end
      times.concat([@drain_until, @stop_until].select { |time| time > now })
      # The smallest pause keeps a deadline just passed from becoming a busy loop.
      [0.01, times.min - now].max
    end

    def how(status)
      status.signaled? ? "SIG#{Signal.signame(status.termsig)}" : "exit code #{status.exitstatus}"
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def say(text)
      $stderr.write("kubeless: #{text}\n")
    end
  end
end
