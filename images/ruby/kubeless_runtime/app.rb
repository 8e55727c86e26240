# frozen_string_literal: true

module KubelessRuntime
  # The Rack application: one request from its environment to its answer. The handler
  # runs on the very thread that puma calls with.
  class App
    OK = Response.error(200, 'OK')
    STOPPING = Response.error(503, 'stopping')
    FAILED = Response.error(500, 'Internal Server Error')
    TIMEOUT = Response.error(408, HTTP::TIMEOUT)
    BUSY = [503, Response::PLAIN.merge('retry-after' => '1').freeze, 'Too many requests are running'].freeze

    attr_reader :calls

    # +retire+ asks the supervisor for a fresh worker, with a reason.
    def initialize(config, handler, board, region, retire)
      @config = config
      @handler = handler
      @context = Event.context(config)
      @board = board
      @retire = retire
      @recorder = Metrics::Recorder.new(region)
      @log = AccessLog.new if config.access_log
      @calls = Calls.new(board, region, config, on_timeout: method(:timed_out), on_stuck: method(:stuck))
    end

    # Rack's entry: answer one request.
    def call(env)
      method = env['REQUEST_METHOD']
      if method == 'GET'
        case env['PATH_INFO']
        when '/healthz' then return reply(env, @board.draining? ? STOPPING : OK)
        when '/metrics'
          return reply(env, [200, { 'content-type' => Metrics::CONTENT_TYPE }, Metrics.render(@board.regions)])
        end
      elsif method == 'OPTIONS' && @config.cors
        return reply(env, preflight(env))
      end
      return too_large(env) if env[HTTP::TOO_LARGE]

      call = @calls.begin(env)
      unless call
        log_later(env, BUSY[0], BUSY[2].bytesize, 0.0)
        return reply(env, BUSY)
      end
      answer(call, env)
    end

    # Write what is still to be logged.
    def close
      @log&.close
    end

    # The log learns why a call failed; the client only learns that.
    def failed(error)
      text = if error.is_a?(Response::ReturnError)
               "kubeless: #{error.message}\n"
             else
               Trace.of(error)
             end
      $stderr.write(text)
    end

    # A stream came to its end, or to an end.
    def streamed(call, size, failed)
      env = call.env
      method = env['REQUEST_METHOD']
      status = env['kubeless.status']
      seconds = since(call)
      failed = true unless @calls.finish(call) == :ours
      @recorder.record(method, seconds, failed || status >= 500)
      log(env, status, size, seconds)
    end

    private

    def answer(call, env)
      left = false
      result, called = run(env)
      unless result[2].is_a?(String)
        env['kubeless.status'] = result[0]
        call.streaming = true
        left = true
        return reply(env, result, Stream.new(result[2], call, self))
      end
      seconds = since(call)
      owner = @calls.finish(call)
      left = true
      return taken(env) if owner == :given

      result, called = TIMEOUT, true if owner == :timeout
      status = result[0]
      @recorder.record(env['REQUEST_METHOD'], seconds, status >= 500 || owner == :timeout) if called
      log_later(env, status, result[2].bytesize, seconds)
      reply(env, result)
    ensure
      ended_thread(call, env) unless left
    end

    # Run the handler: its answer, and whether it was called.
    def run(env)
      body = +(env['rack.input'].read || '') # without a body puma gives a frozen text
      begin
        event = Event.build(env, body)
      rescue Document::Invalid => e
        return Response.error(400, "Invalid JSON in the request's body: #{e.message}"), false
      end
      extensions = event[:extensions]
      answer = Thread.handle_interrupt(RequestTimeout::IMMEDIATE) do
        result = @handler.call(event, @context.dup)
        Response.from_result(result, extensions.response, env['REQUEST_METHOD'] == 'HEAD')
      end
      [answer, true]
    rescue RequestTimeout
      [TIMEOUT, true]
    rescue Exception => e # rubocop:disable Lint/RescueException -- also exit, abort, a signal, no memory
      failed(e)
      [FAILED, true]
    end

    # The watchdog answered: take the connection from puma, which has nothing to send.
    def taken(env)
      env['rack.hijack'].call
      env['puma.socket'].close
      [-1, {}, []]
    end

    # The handler ended its thread (Thread.exit): puma does not answer any more.
    def ended_thread(call, env)
      seconds = since(call)
      return if @calls.finish(call) == :given

      @recorder.record(env['REQUEST_METHOD'], seconds, true)
      $stderr.write("kubeless: the handler ended its thread\n")
      log(env, 500, FAILED[2].bytesize, seconds)
      env['puma.socket'].write_nonblock(HTTP::FAILED_RESPONSE, exception: false)
    rescue SystemCallError, IOError
      # the client went away
    end

    # The watchdog, under the call's lock: answer for a handler that does not end. What is
    # to do afterwards, as a Proc.
    def timed_out(call)
      env = call.env
      socket = env['puma.socket']
      if call.streaming
        socket.shutdown # its writer, if that is where the time went, gives up
        return -> {}
      end
      seconds = since(call)
      @recorder.record(env['REQUEST_METHOD'], seconds, true)
      head = env['REQUEST_METHOD'] == 'HEAD'
      socket.write_nonblock(head ? HTTP::TIMEOUT_RESPONSE : HTTP::TIMEOUT_RESPONSE + HTTP::TIMEOUT, exception: false)
      socket.close_write
      -> { log(env, 408, HTTP::TIMEOUT.bytesize, seconds) }
    rescue SystemCallError, IOError
      -> {} # the client went away
    end

    def stuck(path)
      @retire.call("a call of #{path.inspect} did not end when its time was over")
    end

    def too_large(env)
      text = "The request's body is larger than #{@config.body_limit} bytes"
      env['HTTP_CONNECTION'] = 'close'
      socket = env['puma.socket']
      log_later(env, 413, text.bytesize, 0.0)
      env['rack.after_reply'] << -> { HTTP.linger(socket) }
      reply(env, Response.error(413, text))
    end

    # The answer to OPTIONS while CORS is on.
    def preflight(env)
      asked = env['HTTP_ACCESS_CONTROL_REQUEST_HEADERS'].to_s
      headers = {
        'access-control-allow-methods' => 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
        'access-control-allow-headers' => asked.empty? ? 'Content-Type' : asked,
        'access-control-max-age' => '86400'
      }
      [204, headers, '']
    end

    def reply(env, answer, body = nil)
      status, headers, text = answer
      # Puma closes the connection when the client wished it, and says so.
      env['HTTP_CONNECTION'] = 'close' if @board.draining?
      if @config.cors && !headers.key?('access-control-allow-origin')
        headers = headers.merge('access-control-allow-origin' => '*')
      end
      [status, headers, body || [text]]
    end

    def since(call)
      Process.clock_gettime(Process::CLOCK_MONOTONIC) - call.arrived
    end

    def log(env, status, size, seconds)
      @log&.write(env, status, size, seconds)
    end

    # Log what puma answers when it has: the client is not to wait for it.
    def log_later(env, status, size, seconds)
      env['rack.after_reply'] << -> { @log.write(env, status, size, seconds) } if @log
    end
  end
end
