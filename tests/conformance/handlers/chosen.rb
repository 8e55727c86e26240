# Answers with a status and headers of its own choice.

def handler(event, _context)
  case event[:data]
  when 'status' then ['made', 201]
  when 'headers' then ['x', 202, { 'X-A' => 'b', 'Content-Type' => 'text/plain' }]
  when 'split' then ['x', 200, { 'X-A' => "b\r\nX-Split: c" }]
  else [nil, 204]
  end
end
