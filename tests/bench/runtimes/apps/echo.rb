# Ours: answers with the event's data.

def handler(event, _context)
  event[:data]
end
