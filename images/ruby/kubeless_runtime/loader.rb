# frozen_string_literal: true

module KubelessRuntime
  # The function can't be loaded. The message is one line; +trace+ the traceback, maybe empty.
  class LoadError < StandardError
    attr_reader :trace

    def initialize(message, trace = '')
      super(message.split.join(' '))
      @trace = trace
    end
  end

  # From the source file to the handler.
  #
  # The source is the body of a module of its own, which is also `self` in it: methods,
  # constants and variables of the function can't replace those of the server, of a
  # library, or of Ruby (`def open`, `def format`).
  #
  # The server's gems are those of the image, activated before the function's come into
  # view. RubyGems then refuses another version of one of them, with both versions named,
  # instead of mixing two. They are only puma and nio4r: Rack is loaded when a handler
  # asks for its request, and is the function's own when it brings one.
  module Loader
    # The handler, a Method. Raises LoadError with the reason.
    def self.load(config)
      add_gems(config)
      raise LoadError, missing_file(config) unless File.file?(config.source)

      mod = execute(config)
      name = config.function
      return mod.method(name) if defined_here?(mod, name)

      there = own_methods(mod)
      has = there.empty? ? 'it defines no functions' : "it has: #{there.join(', ')}"
      raise LoadError, "module '#{config.module_name}' has no function '#{name}'; #{has}"
    end

    # Say why on standard error and in the pod's termination message.
    def self.report(error, termination_log)
      text = "kubeless: #{error.message}\n#{error.trace}"
      $stderr.write(text)
      # The kubelet keeps 4096 bytes; the reason stands first.
      File.write(termination_log, text.byteslice(0, 4000).scrub)
    rescue SystemCallError
      # outside a pod there is no such file
    end

    # Make the function's gems and files known to `require`.
    def self.add_gems(config)
      home = config.gem_home
      if File.directory?(home)
        ENV['GEM_HOME'] = home
        Gem.paths = ENV.to_h
        # Gems from a git repository: RubyGems does not know them, Bundler would add their folders.
        Dir["#{home}/bundler/gems/*/*.gemspec"].each do |file|
          spec = Gem::Specification.load(file)
          $LOAD_PATH.unshift(*spec.require_paths.map { |path| File.expand_path(path, File.dirname(file)) }) if spec
        end
        # A module named like a gem that it requires (redis.rb) must not find itself.
        Gem.try_activate(config.module_name)
      end
      $LOAD_PATH.push(config.volume) # last: json.rb beside the source replaces no library
    end

    def self.execute(config)
      mod = Module.new
      mod.extend(mod)
      name = config.module_name
      begin
        mod.module_eval(File.read(config.source, encoding: Encoding::UTF_8), config.source, 1)
      rescue SystemExit => e
        raise LoadError.new("module '#{name}' ended the process while it was imported (exit code #{e.status})",
                            Trace.of(e))
      rescue SyntaxError => e
        raise LoadError.new(syntax_error(e, config), "#{e.message}\n")
      rescue ::LoadError => e
        raise LoadError.new(load_error(e, config), Trace.of(e))
      rescue Exception => e # rubocop:disable Lint/RescueException -- whatever it is, it is told
        raise LoadError.new("module '#{name}' failed while it was imported: #{e.class}: #{e.message}", Trace.of(e))
      end
      mod
    end

    # The first complaint; what follows it is in the trace.
    def self.syntax_error(error, config)
      where = error.message[/\A(.*?):(\d+): /]
      path, line = where ? [$1, $2] : [config.source, '?'] # rubocop:disable Style/PerlBackrefs
      rest = where ? error.message.delete_prefix(where) : error.message
      first = rest.lines.first.to_s.strip
      "SyntaxError in #{File.basename(path)}, line #{line}: #{first}"
    end

    def self.load_error(error, config)
      name = config.module_name
      path = error.respond_to?(:path) && error.path
      if error.is_a?(Gem::LoadError) || !path || !error.message.start_with?('cannot load such file')
        "module '#{name}' failed while it was imported: #{error.class}: #{error.message}"
      elsif path.start_with?('/')
        "module '#{name}' needs the file #{path}, which does not exist"
      else
        "module '#{name}' needs '#{path}', which is not installed: " \
          "name its gem in the function's dependencies (Gemfile)"
      end
    end

    def self.defined_here?(mod, name)
      [mod.singleton_methods(false), mod.instance_methods, mod.private_instance_methods].any? do |names|
        names.include?(name.to_sym)
      end
    end

    def self.own_methods(mod)
      (mod.instance_methods(false) + mod.singleton_methods(false)).uniq.sort
    end

    def self.missing_file(config)
      there = Dir.children(config.volume).select { |name| name.end_with?('.rb') }.sort
      has = there.empty? ? 'no Ruby file' : there.join(', ')
      "there is no #{config.source}; #{config.volume} has: #{has}"
    rescue SystemCallError => e
      "there is no #{config.source}; #{config.volume}: #{e.message[/\A(.*?)(?: @|\z)/, 1]}"
    end
    private_class_method :add_gems, :execute, :syntax_error, :load_error, :defined_here?, :own_methods, :missing_file
  end
end
