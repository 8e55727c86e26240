# frozen_string_literal: true

module KubelessRuntime
  # Tracebacks of a function's errors, without the frames of the server below them.
  module Trace
    SERVER = "#{File.dirname(__dir__)}/"

    # The whole message with its traceback, ending with a newline.
    def self.of(error)
      text = error.full_message(highlight: false, order: :top)
      lines = text.scrub.lines.reject { |line| line.match?(/\A\s+(?:from|\d+: from) /) && line.include?(SERVER) }
      text = lines.reject { |line| line.match?(%r{\A\s+from .*/gems/puma-[\d.]+/lib/}) }.join
      text.end_with?("\n") ? text : "#{text}\n"
    end
  end
end
