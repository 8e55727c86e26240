# frozen_string_literal: true

module KubelessRuntime
  # A body that puma asks for its parts; the call's time runs until the last one.
  #
  # A stream that can't go on ends its connection without the last chunk, so that a part
  # is never taken for the whole: puma closes on ConnectionError, and says nothing more.
  class Stream
    def initialize(source, call, app)
      @source = source
      @call = call
      @app = app
      @size = 0
      @failed = false
    end

    def each
      Thread.handle_interrupt(RequestTimeout::IMMEDIATE) do
        @source.each do |part|
          part = Response.text(part)
          @size += part.bytesize
          Thread.handle_interrupt(RequestTimeout::NEVER) { send(part) { |text| yield text } }
        end
      end
    rescue Puma::ConnectionError
      raise # the client went away
    rescue Exception => e # rubocop:disable Lint/RescueException
      @failed = true
      @app.failed(e) unless e.is_a?(RequestTimeout)
      raise Puma::ConnectionError, 'the stream failed'
    end

    # Called at the end of every answer, also when there was nobody to read it.
    def close
      call = @call or return
      @call = nil
      begin
        @source.close if @source.respond_to?(:close) && !@source.is_a?(Enumerator)
      rescue StandardError => e
        @app.failed(e)
      end
      @app.streamed(call, @size, @failed)
    end

    private

    # Puma's writing, in which the time must not end: a part would be half sent.
    def send(part)
      yield part unless part.empty?
    end
  end
end
