# frozen_string_literal: true

module KubelessRuntime
  # Ends the processes that a call started and left behind when its time was over.
  #
  # Linux lists the children of every single thread, so those of other calls are
  # not touched; nor are those that an earlier call on the same thread left running.
  module Children
    # Clock ticks a second in /proc: the kernel's interface has had 100 on all of Debian's architectures.
    TICKS = 100.0

    # Kill what +thread+ started since +started+ (monotonic seconds), and what that started.
    def self.kill(thread, started)
      id = thread.native_thread_id
      return unless id

      since = since_boot(started)
      of_thread(Process.pid, id).each { |pid| kill_tree(pid) if start_time(pid) >= since }
    end

    def self.kill_tree(pid)
      below = Dir.children("/proc/#{pid}/task").flat_map { |id| of_thread(pid, id) }
      Process.kill(:KILL, pid)
      below.each { |child| kill_tree(child) }
    rescue SystemCallError
      # it is gone
    end

    def self.of_thread(pid, id)
      File.read("/proc/#{pid}/task/#{id}/children").split.map(&:to_i)
    rescue SystemCallError
      []
    end

    def self.start_time(pid)
      File.read("/proc/#{pid}/stat").rpartition(')').last.split[19].to_i / TICKS
    rescue SystemCallError
      -1.0
    end

    def self.since_boot(monotonic)
      offset = Process.clock_gettime(Process::CLOCK_BOOTTIME) - Process.clock_gettime(Process::CLOCK_MONOTONIC)
      monotonic + offset - (1 / TICKS)
    end
    private_class_method :kill_tree, :of_thread, :start_time, :since_boot
  end
end
