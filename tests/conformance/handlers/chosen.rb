# Answers with a status and headers of its own choice.

def handler(event, _context)
  case event[:data]
  when 'status' then [201, {}, ['made']]
  when 'headers' then [202, { 'X-A' => 'b', 'Content-Type' => 'image/png' }, ['x']]
  when 'split' then [200, { 'X-A' => "b\r\nX-Split: c" }, ['x']]
  else [204, {}, []]
  end
end
