# Does, for as long as it is let, the work that the request's body names; 'done' without one.

require 'fiddle'
require 'socket'

def handler(event, _context)
  case event[:data]
  when 'loop' then loop { nil }
  when 'stubborn' then stubborn
  when 'sleep' then sleep(60)
  when 'socket' then socket
  when 'child' then system('sleep', '61.5')
  when 'native' then native
  when 'short' then sleep(0.6)
  end
  'done'
end

def stubborn
  loop { nil }
rescue StandardError
  retry
end

# Both ends stay open: a collected one would end the wait.
def socket
  here, there = UNIXSocket.pair
  here.read(1)
ensure
  there.close
end

# Holds the interpreter's lock, as a C extension may.
def native
  Fiddle::Function.new(
    Fiddle::Handle::DEFAULT['sleep'], [Fiddle::TYPE_INT], Fiddle::TYPE_INT, need_gvl: true
  ).call(60)
end
