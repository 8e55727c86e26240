# frozen_string_literal: true

require 'json'

module KubelessRuntime
  # JSON documents. Ruby's parser does not say where it stopped; `Locator` finds out.
  module Document
    # Levels of arrays and objects.
    MAX_NESTING = 1000

    # Ruby's parser takes any character after a backslash.
    ESCAPES = %r{\A[^\\]*+(?:\\(?:["\\/bfnrt]|u\h{4})[^\\]*+)*+\z}

    # It takes comments, too: `//` or `/*` outside of these.
    STRINGS = /"(?:[^"\\]++|\\.)*+"/m

    # The body is not the JSON its media type promises; the message has the position.
    class Invalid < StandardError; end

    # JSON in UTF-8, -16 or -32. Raises Invalid.
    def self.parse(body)
      text = decode(body)
      value = JSON.parse(text, max_nesting: MAX_NESTING)
      raise JSON::ParserError if text.include?('\\') && !text.match?(ESCAPES)
      raise JSON::ParserError if text.include?('/') && text.match?(%r{/[/*]}) && text.gsub(STRINGS, '').include?('/')

      value
    rescue JSON::NestingError
      raise Invalid, 'nested too deeply'
    rescue JSON::ParserError
      raise Invalid, Locator.new(text).message
    end

    def self.generate(value)
      JSON.generate(value, max_nesting: MAX_NESTING)
    end

    def self.decode(body)
      # Nearly all bodies, and much quicker to tell than the rest.
      return body.force_encoding(Encoding::UTF_8) if body.ascii_only? && !body.include?("\0")

      wide = encoding(body)
      text = wide ? body.dup.force_encoding(wide) : body.force_encoding(Encoding::UTF_8)
      text = text.encode(Encoding::UTF_8) if wide && text.valid_encoding?
      unless text.valid_encoding?
        good = text.each_char.take_while(&:valid_encoding?).sum(&:bytesize)
        raise Invalid, "not #{text.encoding}: byte #{good}"
      end
      text.start_with?("\u{feff}") ? text[1..] : text
    end

    # UTF-16 and -32 show by zeros in the first bytes: JSON begins with an ASCII character.
    def self.encoding(body)
      first = body.byteslice(0, 4).bytes
      return nil unless first.include?(0) || [0xfe, 0xff].include?(first[0])

      case first
      in [0, 0, 0, _] | [0, 0, 0xfe, 0xff] then Encoding::UTF_32BE
      in [_, 0, 0, 0] | [0xff, 0xfe, 0, 0] then Encoding::UTF_32LE
      in [0, _, *] | [0xfe, 0xff, *] then Encoding::UTF_16BE
      in [_, 0, *] | [0xff, 0xfe, *] then Encoding::UTF_16LE
      else nil
      end
    end
    private_class_method :decode, :encoding

    # Finds the first place where a text is not JSON (RFC 8259).
    class Locator
      NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/
      STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\\/bfnrt]|u\h{4}))*"/

      def initialize(text)
        require 'strscan'
        @text = text
        @scanner = StringScanner.new(text)
      end

      # What is wrong and where: `Expecting value: line 1 column 1 (char 0)`.
      def message
        what = catch(:wrong) do
          value
          space
          @scanner.eos? ? 'not JSON' : 'Extra data'
        end
        before = @text.byteslice(0, @scanner.pos)
        line = before.count("\n") + 1
        column = before.length - (before.rindex("\n") || -1)
        "#{what}: line #{line} column #{column} (char #{before.length})"
      end

      private

      def space
        @scanner.skip(/[ \t\r\n]*/)
      end

      def value
        space
        if @scanner.skip(/\{/) then object
        elsif @scanner.skip(/\[/) then array
        elsif @scanner.check(/"/) then string
        elsif !@scanner.skip(/true|false|null/) && !@scanner.skip(NUMBER)
          throw :wrong, 'Expecting value'
        end
      end

      def array
        space
        return if @scanner.skip(/\]/)

        loop do
          value
          space
          return if @scanner.skip(/\]/)

          @scanner.skip(/,/) or throw :wrong, "Expecting ',' delimiter"
        end
      end

      def object
        space
        return if @scanner.skip(/\}/)

        loop do
          space
          @scanner.check(/"/) or throw :wrong, 'Expecting property name enclosed in double quotes'
          string
          space
          @scanner.skip(/:/) or throw :wrong, "Expecting ':' delimiter"
          value
          space
          return if @scanner.skip(/\}/)

          @scanner.skip(/,/) or throw :wrong, "Expecting ',' delimiter"
        end
      end

      def string
        return if @scanner.skip(STRING)

        start = @scanner.pos
        @scanner.skip(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\\/bfnrt]|u\h{4}))*/)
        return throw(:wrong, 'Invalid \\escape') if @scanner.check(/\\/)
        return throw(:wrong, 'Invalid control character') unless @scanner.eos?

        @scanner.pos = start
        throw :wrong, 'Unterminated string starting at'
      end
    end
  end
end
