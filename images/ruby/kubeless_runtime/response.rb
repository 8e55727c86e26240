# frozen_string_literal: true

module KubelessRuntime
  # What a handler returned, as status, headers and body (a String, or what streams).
  #
  # Responses are told by shape, not by class: the Rack that a function brings is not the server's.
  module Response
    TEXT = { 'content-type' => 'text/html; charset=utf-8' }.freeze
    PLAIN = { 'content-type' => 'text/plain; charset=utf-8' }.freeze
    JSON_HEADERS = { 'content-type' => 'application/json' }.freeze

    NAME = /\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\z/
    VALUE = /\A[\t\x20-\x7e]*\z/

    # Headers that the server decides itself.
    OWN = %w[connection transfer-encoding].freeze

    CHUNK = 65_536

    # A handler returned what can't be sent.
    class ReturnError < StandardError; end

    # The answer for a handler's return value. +response+ is the event's Rack::Response when
    # the handler asked for it: its status, headers and body count then. Raises ReturnError.
    def self.from_result(result, response, head)
      return with_response(result, response, head) if response && !result.equal?(response)

      case result
      when String then [200, TEXT, result]
      when Array then triplet?(result) ? from_triplet(result, head) : [200, JSON_HEADERS, json(result)]
      when Hash, Numeric, true, false then [200, JSON_HEADERS, json(result)]
      when nil then [200, TEXT, '']
      when Symbol then [200, TEXT, result.name]
      else from_object(result, head)
      end
    end

    def self.error(status, message)
      [status, PLAIN, message]
    end

    def self.from_object(result, head)
      return from_triplet(result.finish, head) if result.respond_to?(:finish) && result.respond_to?(:status)
      return [200, TEXT, stream(result)] if result.respond_to?(:read) || result.respond_to?(:each)

      raise ReturnError,
            "the handler returned a #{result.class}; it may return text, a JSON value, nothing, " \
            '[status, headers, body], a Rack::Response, or an Enumerator'
    end

    # A status, a Hash of headers and a body: Rack's triplet, not a JSON list.
    def self.triplet?(list)
      list.size == 3 && list[0].is_a?(Integer) && list[0].between?(100, 999) && list[1].is_a?(Hash) &&
        (list[2].nil? || list[2].is_a?(String) || (list[2].respond_to?(:each) && !list[2].is_a?(Hash)) ||
         list[2].respond_to?(:call))
    end

    def self.from_triplet(triplet, head)
      status, headers, body = triplet
      raise ReturnError, "the handler returned the status #{status}; expected 200 to 599" unless status.between?(200, 599)

      kept = headers(headers, head)
      kept['content-type'] ||= TEXT['content-type'] unless [204, 304].include?(status)
      [status, kept, body(body)]
    end

    def self.with_response(result, response, head)
      status, headers, body = from_result(result, nil, head)
      own_status, own_headers, own_body = response.finish
      headers = headers.merge(headers(own_headers, head))
      body = body(own_body) if result.nil?
      [own_status == 200 ? status : own_status, headers, body]
    end

    # Checked headers in lower case, without the ones the server decides itself.
    def self.headers(found, head)
      kept = {}
      found.each do |key, content|
        name = key.to_s.downcase
        values = content.is_a?(Array) ? content : [content]
        # Rack 2 joins cookies with newlines; a return stays, and is refused.
        values = values.flat_map { |value| value.to_s.split("\n") } if name == 'set-cookie'
        values = values.map { |value| name == 'set-cookie' ? value : value.to_s.strip }
        unless name.match?(NAME) && values.all? { |value| value.match?(VALUE) }
          raise ReturnError, "the handler returned the header #{name.inspect}: #{content.inspect}; " \
                             'names are tokens and values printable ASCII'
        end
        next if OWN.include?(name) || (name == 'content-length' && !head)

        kept[name] = values.join("\n") # for puma: several lines
      end
      kept
    end

    def self.body(body)
      case body
      when nil then ''
      when String then body
      when Array then body.map { |part| text(part) }.join
      else stream(body)
      end
    end

    def self.text(part)
      return part if part.is_a?(String)

      raise ReturnError, "the handler's body gave a #{part.class}; it may give Strings"
    end

    # Something that streams: `each` with Strings.
    def self.stream(body)
      if body.respond_to?(:to_path) && !body.respond_to?(:read) then file(File.open(body.to_path, 'rb'))
      elsif body.respond_to?(:read) then file(body)
      elsif body.respond_to?(:each) then body
      else Enumerator.new { |output| body.call(Writer.new(output)) } # a streaming body of Rack 3
      end
    end

    def self.file(file)
      Enumerator.new do |output|
        while (chunk = file.read(CHUNK))
          output << chunk
        end
      ensure
        file.close if file.respond_to?(:close)
      end
    end

    def self.json(value)
      Document.generate(value)
    rescue JSON::JSONError, EncodingError, SystemStackError => e
      raise ReturnError, "the handler returned a value that is no JSON: #{e.message}"
    end
    private_class_method :from_object, :triplet?, :from_triplet, :with_response, :headers, :body, :stream, :file, :json

    # What a streaming body of Rack 3 writes to.
    class Writer
      def initialize(output)
        @output = output
      end

      def write(*parts)
        parts.each { |part| @output << part.to_s }
        parts.sum { |part| part.to_s.bytesize }
      end

      def <<(part)
        write(part)
        self
      end

      def flush
        self
      end

      def close; end
    end
  end
end
