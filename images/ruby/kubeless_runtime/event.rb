# frozen_string_literal: true

module KubelessRuntime
  # What a handler is called with: the event and the context, plain hashes with symbols as keys.
  module Event
    JSON_TYPE = 'application/json'

    # The event of one request. Raises Document::Invalid.
    def self.build(env, body)
      type = env['CONTENT_TYPE']
      {
        data: type && json?(type) ? data(body) : text(body),
        'event-id': env['HTTP_EVENT_ID'] || env['HTTP_CE_ID'],
        'event-type': env['HTTP_EVENT_TYPE'] || env['HTTP_CE_TYPE'],
        'event-time': env['HTTP_EVENT_TIME'] || env['HTTP_CE_TIME'],
        'event-namespace': env['HTTP_EVENT_NAMESPACE'] || env['HTTP_CE_SOURCE'],
        extensions: Extensions.of(env, body)
      }
    end

    # Whether a Content-Type names JSON; parameters are ignored.
    def self.json?(type)
      type == JSON_TYPE || type[/\A[^;]*/].strip.downcase == JSON_TYPE
    end

    # The context that every call gets a copy of.
    def self.context(config)
      {
        'function-name': config.function,
        timeout: config.timeout_text,
        runtime: config.runtime,
        'memory-limit': config.memory_limit
      }
    end

    def self.data(body)
      body.empty? ? nil : Document.parse(body)
    end

    # A String in UTF-8 where it is that, binary otherwise.
    def self.text(body)
      body.force_encoding(Encoding::UTF_8)
      body.valid_encoding? ? body : body.b
    end
    private_class_method :data, :text

    # `{request: Rack::Request, response: Rack::Response}`, each made at the first look,
    # because most functions never look and Rack takes longer to load than the rest of the server.
    #
    # Every public way to read goes through `fill`.
    class Extensions < Hash
      # Rack's response, when the handler asked for it.
      attr_reader :response

      def self.of(env, body)
        new.tap { |extensions| extensions.prepare(env, body) }
      end

      def prepare(env, body)
        @env = env
        @body = body
      end

      %i[
        == [] any? assoc compact count deconstruct_keys delete dig each each_key each_pair each_value
        empty? eql? except fetch fetch_values filter filter_map find hash has_key? has_value? include?
        inspect invert key key? keys length map member? merge reject select size slice sort_by store []= to_a
        to_h to_hash to_json to_proc to_s transform_keys transform_values value? values values_at
      ].each do |name|
        next unless method_defined?(name)

        define_method(name) do |*arguments, **options, &block|
          fill if @env
          super(*arguments, **options, &block)
        end
      end

      private

      def fill
        env = @env
        @env = nil
        require 'rack'
        env['rack.input'] = StringIO.new(@body.b)
        @response = Rack::Response.new
        store(:request, Rack::Request.new(env))
        store(:response, @response)
      end
    end
  end
end
