# frozen_string_literal: true

module KubelessRuntime
  # The time that a process had since this was made: for which it computed, or waited for something
  # else than a processor.
  #
  # On a busy node, or above its CPU limit, a process that has much to do gets less of it than the
  # clock says. Whether a thread wants a processor is seen only when one looks, so that has to be often.
  class OwnTime
    # Clock ticks a second in /proc: the kernel's interface has had 100 on all of Debian's architectures.
    TICKS = 100.0

    # Seconds that one look adds at the most: who looks late was kept waiting too.
    STEP = 0.1

    def initialize(pid)
      @folder = "/proc/#{pid}"
      @seconds = 0.0
      @at = now
      @computed = computed
    end

    # In seconds, as of this look. +from+ is the thread of the process that looks, if one does: it does not count.
    def look(from: nil)
      at = now
      computed = self.computed
      passed = [at - @at, STEP].min
      @seconds += ready?(from) ? [computed - @computed, passed].min : passed
      @at = at
      @computed = computed
      @seconds
    end

    private

    # Whether any thread but one computes, or would with a processor.
    def ready?(but)
      others = Dir.glob("#{@folder}/task/*/stat") - ["#{@folder}/task/#{but}/stat"]
      others.any? { |file| stat(file)&.first == 'R' }
    end

    # Processor time of all threads so far, also of those that ended.
    def computed
      fields = stat("#{@folder}/stat") or return @computed.to_f
      (fields[11].to_i + fields[12].to_i) / TICKS
    end

    # The fields that follow a process's or thread's name, from its state on; nil when it is gone.
    def stat(file)
      File.read(file).rpartition(')').last.split
    rescue SystemCallError
      nil
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
