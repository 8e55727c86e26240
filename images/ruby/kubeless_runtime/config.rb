# frozen_string_literal: true

module KubelessRuntime
  # A variable that can't be used; the message names it, what was found and what is expected.
  class ConfigError < StandardError; end

  # The server's configuration: read once from the environment, checked, frozen.
  # Times in seconds, sizes in bytes, 0 concurrency for no limit.
  class Config
    MEBIBYTE = 1024 * 1024

    # Concurrent calls one worker process can hold; more are refused with 503.
    SLOTS = 1000

    MEANING = { 'MOD_NAME' => 'module', 'FUNC_HANDLER' => 'handler' }.freeze

    attr_accessor :module_name, :function, :timeout, :timeout_text, :runtime, :memory_limit, :port,
                  :volume, :body_limit, :concurrency, :workers, :drain_delay, :access_log, :cors,
                  :termination_log

    # Yields itself once to be filled, then stays as it is.
    def initialize
      yield self
      freeze
    end

    # Path of the function's source file.
    def source
      "#{volume}/#{module_name}.rb"
    end

    # Where the function's own gems are installed, as Bundler lays them out.
    def gem_home
      "#{volume}/ruby/#{RbConfig::CONFIG['ruby_version']}"
    end

    # The configuration. Raises ConfigError on the first variable that is wrong.
    def self.from_environ(environ)
      reader = Reader.new(environ)
      new do |c|
        c.concurrency = reader.integer('FUNC_CONCURRENCY', 0, 0..1_000_000)
        c.workers = reader.integer('KUBELESS_WORKERS', 0, 0..64)
        c.workers = cpus if c.workers.zero?
        c.workers = [c.workers, c.concurrency].min if c.concurrency.positive?
        c.module_name = reader.name('MOD_NAME')
        c.function = reader.name('FUNC_HANDLER')
        c.timeout = reader.seconds('FUNC_TIMEOUT', 180.0, 0.01)
        c.timeout_text = reader.text('FUNC_TIMEOUT', '180')
        c.runtime = reader.text('FUNC_RUNTIME', '')
        c.memory_limit = reader.text('FUNC_MEMORY_LIMIT', '0')
        c.port = reader.integer('FUNC_PORT', Listener::DEFAULT_PORT, 1..65_535)
        c.volume = File.expand_path(reader.text('KUBELESS_INSTALL_VOLUME', '/kubeless'))
        megabytes = reader.integer('REQ_MB_LIMIT', 100, 0..1_000_000)
        c.body_limit = reader.integer('FUNC_MEMFILE_MAX', megabytes * MEBIBYTE, 0..(1 << 50))
        c.drain_delay = reader.seconds('KUBELESS_DRAIN_DELAY', 2.0, 0.0)
        c.access_log = reader.boolean('KUBELESS_ACCESS_LOG', true)
        c.cors = reader.boolean('FUNC_CORS', false)
        c.termination_log = environ.fetch('KUBELESS_TERMINATION_LOG', '/dev/termination-log')
      end
    end

    # Whole CPUs of the container's limit; 1 without a limit, below one CPU, or if unreadable.
    def self.cpus
      quota, period = File.read('/sys/fs/cgroup/cpu.max').split
      return 1 if quota == 'max'

      (quota.to_i / period.to_i).clamp(1, 64)
    rescue SystemCallError, ZeroDivisionError
      1
    end
    private_class_method :cpus

    # Reads single variables of an environment.
    class Reader
      def initialize(environ)
        @environ = environ
      end

      def text(name, default)
        value = @environ[name]
        value.nil? || value.empty? ? default : value
      end

      def name(name)
        value = text(name, nil)
        raise ConfigError, "#{name} is not set: it names the function's #{MEANING[name]}" unless value

        if value.include?('/')
          raise ConfigError, "#{name} is #{quote(value)}: expected the #{MEANING[name]}'s name, not a path"
        end
        value
      end

      def seconds(name, default, minimum)
        value = text(name, nil) or return default
        seconds = Float(value, exception: false)
        return seconds if seconds&.finite? && seconds >= minimum

        raise ConfigError, "#{name} is #{quote(value)}: expected a number of seconds, such as 180 or 0.5"
      end

      def integer(name, default, range)
        value = text(name, nil) or return default
        return value.to_i if value.match?(/\A[0-9]+\z/) && range.cover?(value.to_i)

        raise ConfigError,
              "#{name} is #{quote(value)}: expected a whole number from #{range.first} to #{range.last}"
      end

      def boolean(name, default)
        value = text(name, nil) or return default
        return true if %w[true 1 yes on].include?(value.downcase)
        return false if %w[false 0 no off].include?(value.downcase)

        raise ConfigError, "#{name} is #{quote(value)}: expected true or false"
      end

      private

      def quote(value)
        "'#{value}'"
      end
    end
  end
end
