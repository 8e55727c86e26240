# frozen_string_literal: true

module KubelessRuntime
  # Access log: one line a request on standard output, in the common form.
  #
  #     10.0.0.1 - - [23/Nov/2026:06:29:00 +0000] "GET / HTTP/1.1" 200 11 "" "curl/8.0" 0/532
  #
  # The last field is the duration: whole seconds / microseconds. What a client sent
  # is escaped, so that a request can't forge a line.
  class AccessLog
    def initialize(output = $stdout.dup)
      @output = output
      @second = 0
      @text = ''
    end

    # Log one answered request. +size+ is the body's, in bytes.
    def write(env, status, size, seconds)
      query = env['QUERY_STRING']
      target = AccessLog.decode(env['PATH_INFO'])
      target = "#{target}?#{query}" unless query.nil? || query.empty?
      @output.syswrite(
        "#{env['REMOTE_ADDR'].delete_prefix('::ffff:')} - - [#{now}] " \
        "\"#{env['REQUEST_METHOD']} #{AccessLog.escape(target)} #{env['SERVER_PROTOCOL']}\" " \
        "#{status} #{size} \"#{AccessLog.escape(env['HTTP_REFERER'])}\" " \
        "\"#{AccessLog.escape(env['HTTP_USER_AGENT'])}\" #{seconds.to_i}/#{(seconds * 1e6).to_i}\n"
      )
    rescue SystemCallError
      # When nobody reads the log any more, the request was answered all the same.
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
