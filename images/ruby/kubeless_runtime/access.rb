# frozen_string_literal: true

module KubelessRuntime
  # Access log: one line a request on standard output, in the common form.
  #
  #     10.0.0.1 - - [23/Nov/2026:06:29:00 +0000] "GET / HTTP/1.1" 200 11 "" "curl/8.0" 0/532
  #
  # The last field is the duration: whole seconds / microseconds. What a client sent
  # is escaped, so that a request can't forge a line.
  #
  # A thread of its own writes: a write gives the interpreter away, and a call that waited
  # to get it back would end later. Lines that come together are written together, in
  # portions that a pipe takes whole, so that those of other workers do not get between. When
  # nobody takes them, they are dropped, not waited for, and the gap is told.
  class AccessLog
    # Seconds for which lines are collected.
    COLLECT = 0.005

    # Bytes that a pipe takes in one piece (POSIX's PIPE_BUF, on Linux).
    PORTION = 4096

    # Lines that wait at the most.
    MAX_LINES = 10_000

    def initialize(output = $stdout.dup)
      @output = output
      @second = 0
      @text = ''
      @lines = Thread::Queue.new
      @dropped = 0
      @writer = Thread.new { write_lines }
    end

    # Log one answered request. +size+ is the body's, in bytes.
    def write(env, status, size, seconds)
      return @dropped += 1 if @lines.size >= MAX_LINES

      query = env['QUERY_STRING']
      target = AccessLog.decode(env['PATH_INFO'])
      target = "#{target}?#{query}" unless query.nil? || query.empty?
      micros = (seconds * 1e6).to_i
      @lines << (
        "#{env['REMOTE_ADDR'].delete_prefix('::ffff:')} - - [#{now}] " \
        "\"#{env['REQUEST_METHOD']} #{AccessLog.escape(target)} #{env['SERVER_PROTOCOL']}\" " \
        "#{status} #{size} \"#{AccessLog.escape(env['HTTP_REFERER'])}\" " \
        "\"#{AccessLog.escape(env['HTTP_USER_AGENT'])}\" #{micros / 1_000_000}/#{micros}\n"
      )
    rescue ClosedQueueError
      # The process ends.
    end

    # Write what waits; nothing is logged afterwards.
    def close
      @lines.close
      @writer.join
    end

    # A path with its %XX as bytes.
    def self.decode(path)
      path.include?('%') ? path.gsub(/%\h\h/) { |hex| hex[1, 2].hex.chr } : path
    end

    # Text of a client for a log line: quotes, backslashes, control and other bytes as \xNN.
    def self.escape(text)
      return '' unless text
      return text if text.match?(/\A[ !#-\[\]-~]*\z/)

      text.b.gsub(/[^ !#-\[\]-~]/n) { |c| format('\x%02x', c.ord) }
    end

    private

    def write_lines
      while (line = @lines.pop)
        sleep COLLECT unless @lines.closed?
        portion = line
        until @lines.empty?
          line = @lines.pop
          if portion.bytesize + line.bytesize > PORTION
            put(portion)
            portion = line
          else
            portion << line
          end
        end
        put(portion)
        tell_gap if @dropped.positive?
      end
    end

    def tell_gap
      dropped = @dropped
      @dropped = 0
      put("kubeless: #{dropped} lines of the access log were dropped\n")
    end

    def put(portion)
      @output.syswrite(portion)
    rescue Errno::EAGAIN
      # A pipe may be one that does not block; a portion is taken whole or not at all.
      IO.select(nil, [@output])
      retry
    rescue SystemCallError
      # When nobody reads the log any more, the requests were answered all the same.
    end

    def now
      second = Process.clock_gettime(Process::CLOCK_REALTIME, :second)
      if second != @second
        @text = Time.at(second).utc.strftime('%d/%b/%Y:%H:%M:%S +0000')
        @second = second
      end
      @text
    end
  end
end
