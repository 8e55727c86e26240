# frozen_string_literal: true

module KubelessRuntime
  # One worker process: load the function, serve it, stop when the supervisor says so.
  class Worker
    # Seconds in which the request of a connection that was just accepted is read.
    ARRIVING = 0.1

    # Slices of processor time are 100 ms long at Ruby's usual priority: a few endless loops would
    # keep the watchdog, and every other call, waiting for longer than a timeout may be late.
    PRIORITY = -3

    def initialize(config, board, region, listener, control, wake)
      @config = config
      @board = board
      @region = region
      @listener = listener
      @control = control
      @wake = wake
    end

    # Serve until told to stop; the exit code.
    def run
      begin
        handler = Loader.load(@config)
      rescue LoadError => e
        Loader.report(e, @config.termination_log)
        @region.set(Board::Region::REPORTED, 1.0)
        return 1
      end
      prepare
      # Threads inherit both: nothing but a handler is ever interrupted.
      Thread.current.priority = PRIORITY
      Thread.handle_interrupt(RequestTimeout::NEVER) { serve(handler) }
    end

    private

    # What start-up made stays: sort it once, so that calls and the collector find it in order.
    def prepare
      require 'rack' if File.binread(@config.source).include?('extensions')
      Process.respond_to?(:warmup) ? Process.warmup : GC.start # Ruby 3.3
    end

    def serve(handler)
      app = App.new(@config, handler, @board, @region, method(:retire))
      server = HTTP.server(app, @listener, @config)
      thread = server.run
      watchdog = Thread.new { app.calls.watch(@control) }
      watchdog.priority = 0
      @region.set(Board::Region::READY, 1.0)
      tell('+')
      watchdog.join
      orphaned if @control.read(1).nil?
      Thread.new { Thread.current.priority = 0; app.calls.watch(@control); orphaned } # rubocop:disable Style/Semicolon
      stop(server, thread, app)
    end

    def stop(server, thread, app)
      @listener.pause!
      sleep ARRIVING
      server.stop
      until thread.join(0.05)
        next unless app.calls.stuck.positive? && busy(server) <= app.calls.stuck

        # Only stuck calls are left, and their answers are out.
        app.close
        return Process.exit!(0)
      end
      app.close
      0
    end

    def busy(server)
      server.max_threads - server.pool_capacity
    end

    def retire(reason)
      $stderr.write("kubeless: #{reason}; this process is replaced\n")
      @region.set(Board::Region::RETIRE, 1.0)
      tell('r')
    end

    # The supervisor is gone: go too, with everything a handler started.
    def orphaned
      Process.kill(:KILL, 0)
    end

    def tell(byte)
      @wake.write_nonblock(byte, exception: false)
    end
  end
end
