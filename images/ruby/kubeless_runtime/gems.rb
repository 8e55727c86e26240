# frozen_string_literal: true

# The server's own gems are the image's, whatever GEM_HOME says: a function's come into
# view when it is loaded (see Loader), after these were activated.
saved = ENV.to_h.slice('GEM_HOME', 'GEM_PATH')
saved.each_key { |name| ENV.delete(name) }
Gem.clear_paths
gem 'puma'
gem 'nio4r'
require 'puma'
require 'nio'
saved.each { |name, value| ENV[name] = value }
Gem.clear_paths
