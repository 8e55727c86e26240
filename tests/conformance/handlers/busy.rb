# Takes as many seconds as the request's body says; answers with the most calls seen at once.

LOCK = Mutex.new
COUNTS = { running: 0, most: 0 } # rubocop:disable Style/MutableConstant - what a function keeps between calls

def handler(event, _context)
  LOCK.synchronize do
    COUNTS[:running] += 1
    COUNTS[:most] = [COUNTS[:most], COUNTS[:running]].max
  end
  begin
    sleep(event[:data].empty? ? 0.2 : event[:data].to_f)
  ensure
    LOCK.synchronize { COUNTS[:running] -= 1 }
  end
  COUNTS[:most]
end
