# Streams what the path names.

GO = Queue.new
CLOSED = Queue.new

def handler(event, _context)
  case event[:extensions][:request].path_info
  when '/go'
    GO.close
    'gone'
  when '/closed' then CLOSED.size
  when '/waiting' then waiting
  when '/failing' then failing
  when '/endless' then endless
  end
end

# The second part only after a call of /go.
def waiting
  Enumerator.new do |out|
    out << 'first'
    GO.pop
    out << ''
    out << 'second é'
  end
end

def failing
  Enumerator.new do |out|
    out << 'part'
    raise 'half-way'
  end
end

def endless
  Enumerator.new do |out|
    loop { out << ('x' * 65_536) }
  ensure
    CLOSED << true
  end
end
