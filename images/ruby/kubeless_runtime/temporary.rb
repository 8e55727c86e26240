# frozen_string_literal: true

module KubelessRuntime
  # A folder that Ruby takes for temporary files.
  #
  # Ruby refuses one that everybody may write to and that has no sticky bit, and that is
  # what the volume at a pod's /tmp is: Tempfile would fail in functions, and with it puma,
  # which keeps large and chunked bodies in files. A folder of the server's own below it is
  # named by TMPDIR then, for child processes too.
  module Temporary
    def self.prepare
      place = ENV['TMPDIR'] || '/tmp'
      return unless refused?(place)

      own = "#{place}/ruby-#{Process.uid}"
      Dir.mkdir(own, 0o700) unless File.exist?(own) # from before the container was started again
      stat = File.lstat(own)
      ENV['TMPDIR'] = own if stat.directory? && stat.owned?
    rescue SystemCallError
      # Nothing can be written there: whoever wants a temporary file is told so.
    end

    def self.refused?(place)
      stat = File.stat(place)
      stat.directory? && stat.world_writable? && !stat.sticky?
    end
  end
end
