# frozen_string_literal: true

module KubelessRuntime
  # Shared memory between the supervisor and its workers.
  #
  # One anonymous mapping of doubles, made before the first fork. A *region* belongs
  # to one worker at a time; only that worker writes there, except that the
  # supervisor clears the flags of a dead one. Counters are never cleared: the next
  # owner of the region counts on, so totals survive the worker.
  #
  #     board   DRAINING
  #     region  READY  RETIRE  ACTIVE  REPORTED | counters | deadlines, one per slot
  class Board
    HEADER = 8
    DRAINING = 0

    attr_reader :regions

    def initialize(regions)
      @memory = Board.map((HEADER + (regions * Region::SIZE)) * 8)
      @regions = Array.new(regions) { |index| Region.new(@memory, index) }
    end

    # Whether the pod was told to stop.
    def draining?
      @memory.get_value(:f64, DRAINING) != 0.0
    end

    def draining!
      @memory.set_value(:f64, DRAINING, 1.0)
    end

    # Calls that run now, over all workers.
    def active
      @regions.sum { |region| region.get(Region::ACTIVE) }
    end

    # Memory that a forked process shares.
    def self.map(size)
      experimental = Warning[:experimental]
      Warning[:experimental] = false # IO::Buffer says so of itself up to Ruby 3.4
      if IO::Buffer.const_defined?(:SHARED) # Ruby 3.3
        IO::Buffer.new(size, IO::Buffer::MAPPED | IO::Buffer::SHARED)
      else
        require 'tmpdir'
        folder = File.writable?('/dev/shm') ? '/dev/shm' : Dir.tmpdir
        File.open(folder, File::RDWR | 0o20200000, 0o600) do |file| # O_TMPFILE: it has no name
          file.truncate(size)
          IO::Buffer.map(file)
        end
      end
    ensure
      Warning[:experimental] = experimental
    end

    # One worker's part.
    class Region
      READY = 0
      RETIRE = 1
      ACTIVE = 2
      REPORTED = 3
      FLAGS = 8
      COUNTERS = FLAGS
      DEADLINES = COUNTERS + Metrics::COUNTERS
      SIZE = DEADLINES + Config::SLOTS

      # Deadline values that are no time: the slot is free; the watchdog has given the call up.
      FREE = 0.0
      TAKEN = -1.0

      attr_reader :index

      def initialize(memory, index)
        @memory = memory
        @index = index
        @start = (HEADER + (index * SIZE)) * 8
        @deadlines = @start + (DEADLINES * 8)
      end

      def get(field)
        @memory.get_value(:f64, @start + (field * 8))
      end

      def set(field, value)
        @memory.set_value(:f64, @start + (field * 8), value)
      end

      def set?(flag)
        get(flag) != 0.0
      end

      def add(field, value)
        offset = @start + (field * 8)
        @memory.set_value(:f64, offset, @memory.get_value(:f64, offset) + value)
      end

      def deadline(slot, value)
        @memory.set_value(:f64, @deadlines + (slot * 8), value)
      end

      # All counters.
      def counters
        @memory.get_string(@start + (COUNTERS * 8), Metrics::COUNTERS * 8).unpack('E*')
      end

      # The deadlines of the calls that nobody has given up.
      def deadlines
        @memory.get_string(@deadlines, Config::SLOTS * 8).unpack('E*').select(&:positive?)
      end

      # Free the region of a worker that is gone.
      def reset
        [READY, RETIRE, ACTIVE, REPORTED].each { |flag| set(flag, 0.0) }
        Config::SLOTS.times { |slot| deadline(slot, FREE) }
      end
    end
  end
end
