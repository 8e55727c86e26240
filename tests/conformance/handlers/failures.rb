# Fails in the way that the request's body names; 'ok' without one.

def handler(event, context)
  case event[:data]
  when 'raise' then raise ArgumentError, 'a secret of the function'
  when 'exit' then exit(3)
  when 'recurse' then handler(event, context)
  when 'unsendable' then { a: Float::NAN }
  else 'ok'
  end
end
