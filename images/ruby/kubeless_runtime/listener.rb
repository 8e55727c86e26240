# frozen_string_literal: true

require 'socket'

module KubelessRuntime
  # The server's socket: bound once by the supervisor, accepted from by every worker.
  class Listener < TCPServer
    # Connections that wait to be taken up; the kernel's own limit may be lower.
    BACKLOG = 1024

    # Further connections taken up in one turn.
    TURN = 64

    DEFAULT_PORT = 8080

    # A socket that listens on every address, or nil and why not.
    #
    # +port+ is the text of FUNC_PORT. What is no port is for the configuration to
    # refuse, in its own words: the reason is '' then.
    def self.open(port)
      number = Integer(port.to_s.empty? ? DEFAULT_PORT : port, 10, exception: false)
      return nil, '' unless number&.between?(1, 65_535)

      [bind(number), '']
    rescue SystemCallError => e
      [nil, e.message[/\A(.*?)(?: - |\z)/, 1]]
    end

    def self.bind(port)
      begin
        socket = ::Socket.new(:INET6, :STREAM)
        socket.setsockopt(::Socket::IPPROTO_IPV6, ::Socket::IPV6_V6ONLY, 0)
        address = Addrinfo.tcp('::', port)
      rescue Errno::EAFNOSUPPORT
        socket = ::Socket.new(:INET, :STREAM)
        address = Addrinfo.tcp('0.0.0.0', port)
      end
      socket.setsockopt(:SOCKET, :REUSEADDR, 1)
      socket.setsockopt(:TCP, :NODELAY, 1)
      socket.bind(address)
      socket.listen(BACKLOG)
      socket.autoclose = false
      for_fd(socket.fileno)
    end
    private_class_method :bind

    # Take no more connections here; other processes go on accepting.
    def pause!
      @paused = true
    end

    # Have connections that wait already taken up too, by +block+, where +held+ (a Proc) says that
    # puma had to wait for its turn.
    def hand_on(held, &block)
      @held = held
      @further = block
    end

    # TCPServer's own.
    alias take accept_nonblock

    # As TCPServer's. Puma asks when the socket is readable, so a paused one waits a moment.
    #
    # Puma takes one connection and then waits for the next. Beside handlers that compute, its
    # turn comes late each time, and the last of many connections many times as late.
    def accept_nonblock(exception: true)
      unless @paused
        socket = take(exception: exception)
        take_further if @held&.call
        return socket
      end
      sleep 0.01
      raise IO::EAGAINWaitReadable if exception

      :wait_readable
    end

    private

    def take_further
      TURN.times do
        socket = take(exception: false)
        break if socket == :wait_readable

        @further.call(socket)
      end
    rescue SystemCallError
      # one of them went away
    end
  end
end
