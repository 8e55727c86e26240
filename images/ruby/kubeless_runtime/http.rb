# frozen_string_literal: true

require 'puma'
require 'puma/server'
require 'puma/configuration'
require 'puma/minissl' # the server names its error class when a connection fails

module KubelessRuntime
  # The HTTP server: puma, single mode, on a socket that it is given. What puma leaves
  # open is set here, by modules in front of its classes:
  #
  # - a body over the limit is not read, with or without a Content-Length;
  # - a request has to arrive within a time that every further byte does not renew;
  # - the reactor looks at deadlines that moved forward;
  # - malformed requests are answered and not logged;
  # - a request whose length can be read in two ways is malformed (RFC 9112, 6.1 and 6.3).
  module HTTP
    # Seconds in which a request's header has to arrive.
    HEADER_TIMEOUT = 30

    # Seconds an idle connection is kept.
    IDLE_TIMEOUT = 65

    # Threads beyond the slots: probes and refusals are answered when every slot is taken.
    SPARE_THREADS = 24

    # Threads kept when there is nothing to do.
    IDLE_THREADS = 4

    # Environment key: the body was over the limit.
    TOO_LARGE = 'kubeless.too_large'

    # Bytes of a refused body that are still read, and for how many seconds.
    DISCARD = 8 * 1024 * 1024
    DISCARD_TIME = 2.0

    TIMEOUT = 'Request timeout exceeded'
    TIMEOUT_RESPONSE = "HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\n" \
                       "content-length: #{TIMEOUT.bytesize}\r\nconnection: close\r\n\r\n".freeze
    FAILED_RESPONSE = "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n" \
                      "content-length: 21\r\nconnection: close\r\n\r\nInternal Server Error"

    class << self
      # Set once, before the first connection.
      attr_accessor :body_limit, :body_timeout
    end

    # A puma server for +app+ on +listener+.
    def self.server(app, listener, config)
      self.body_limit = config.body_limit
      self.body_timeout = config.timeout
      ENV['RACK_ENV'] ||= 'production' # or puma says 'development'
      options = {
        min_threads: IDLE_THREADS, max_threads: Config::SLOTS + SPARE_THREADS, auto_trim_time: 2,
        first_data_timeout: HEADER_TIMEOUT, persistent_timeout: IDLE_TIMEOUT, environment: 'production',
        supported_http_methods: :any, lowlevel_error_handler: method(:refuse), log_writer: Log.new($stdout, $stderr)
      }
      # The second argument was the log of puma 5.
      server = Puma::Server.new(app, defined?(Puma::LogWriter) ? nil : options[:log_writer], options)
      server.binder.ios << listener
      listener.hand_on(app.calls.method(:held?)) { |socket| take_up(server, listener, socket) }
      server
    end

    # Put a connection in puma's queue, as puma does with those that it accepts.
    def self.take_up(server, listener, socket)
      client = Puma::Client.new(socket, server.binder.env(listener))
      client.listener = listener
      server.instance_variable_get(:@thread_pool) << client
    end
    private_class_method :take_up

    # The answer to a request that puma can't read.
    def self.refuse(_error, _env, status = 500)
      text = { 400 => 'Bad Request', 501 => 'Not Implemented' }.fetch(status, 'Internal Server Error')
      [status, { 'content-type' => 'text/plain; charset=utf-8' }, [text]]
    end

    # Let the client of a refused body see the answer: most look for it when all is sent.
    def self.linger(socket)
      socket.close_write
      left = DISCARD
      until_time = Process.clock_gettime(Process::CLOCK_MONOTONIC) + DISCARD_TIME
      while left.positive?
        wait = until_time - Process.clock_gettime(Process::CLOCK_MONOTONIC)
        break unless wait.positive? && socket.wait_readable(wait)

        chunk = socket.read_nonblock(65_536, exception: false)
        break unless chunk

        left -= chunk.bytesize unless chunk == :wait_readable
      end
    rescue SystemCallError, IOError
      # it went away
    end

    # What puma has to say: only what is no client's doing.
    class Log < (defined?(Puma::LogWriter) ? Puma::LogWriter : Puma::Events)
      def parse_error(*); end

      def connection_error(*); end

      def unknown_error(error, _request = nil, text = 'HTTP server')
        return if error.is_a?(Puma::ConnectionError) || error.is_a?(EOFError)

        $stderr.write("kubeless: #{text}: #{error.full_message(highlight: false)}")
      end
    end

    class TooLarge < StandardError; end

    # In front of Puma::Client: limits of size and time.
    module ClientLimits
      PUMA_5 = Gem::Version.new(Puma::Const::PUMA_VERSION) < Gem::Version.new('6')

      # Environment key of the request's version.
      PROTOCOL = PUMA_5 ? 'HTTP_VERSION' : 'SERVER_PROTOCOL'

      # Puma asks first whether there is something to read, and gives up its turn for that.
      def eagerly_finish
        @ready || try_to_finish
      end

      def try_to_finish
        super
      rescue TooLarge
        refuse_body
      end

      def reset(...)
        @until = nil
        super
      rescue TooLarge
        refuse_body
      end

      def set_timeout(seconds)
        unless in_data_phase || @buffer
          @until = nil
          return super
        end
        @until ||= Process.clock_gettime(Process::CLOCK_MONOTONIC) + HEADER_TIMEOUT
        @timeout_at = @until
      end

      def timeout!
        if in_data_phase || @buffer
          begin
            @io.write_nonblock(TIMEOUT_RESPONSE + TIMEOUT)
          rescue SystemCallError, IOError
            # it went away
          end
        end
        raise Puma::ConnectionError
      end

      private

      def setup_body
        length = @env['CONTENT_LENGTH']
        old = @env[PROTOCOL] == 'HTTP/1.0'
        ambiguous = @env.key?('HTTP_TRANSFER_ENCODING') && (length || old)
        raise Puma::HttpParserError, 'Transfer-Encoding beside Content-Length, or in HTTP/1.0' if ambiguous
        return refuse_body if length&.match?(/\A\d+\z/) && length.to_i > HTTP.body_limit

        @until = Process.clock_gettime(Process::CLOCK_MONOTONIC) + HTTP.body_timeout
        return super unless PUMA_5 && length&.match?(/\A\d+\z/) && @parser.body.bytesize > length.to_i

        split_body(length.to_i)
      end

      # Puma 5 (Debian 12) takes a pipelined request for a part of the body before it.
      def split_body(length)
        received = @parser.body
        @read_header = false
        @body = StringIO.new(received.byteslice(0, length))
        @buffer = received.byteslice(length..)
        set_ready
        true
      end

      def write_chunk(part)
        raise TooLarge if @chunked_content_length + part.bytesize > HTTP.body_limit

        super
      end

      def refuse_body
        @env[TOO_LARGE] = true
        @read_header = false
        @buffer = nil
        @body = Puma::Client::EmptyBody
        set_ready
        true
      end
    end

    # In front of Puma::Reactor: its list of timeouts is sorted when a client comes, not when one changes.
    module ReactorOrder
      private

      def wakeup!(client)
        before = client.timeout_at
        result = super
        @timeouts.sort_by!(&:timeout_at) if client.timeout_at < before
        result
      end
    end

    Puma::Client.prepend(ClientLimits)
    Puma::Reactor.prepend(ReactorOrder)
  end
end
