# Answers with what it was called with, as JSON; texts of the event's data in base64.

EVENT = %i[event-id event-type event-time event-namespace].freeze

def handler(event, context)
  request = event[:extensions][:request]
  shown = context.dup
  context[:changed] = true # the next call must not see this
  {
    data: describe(event[:data]),
    event: EVENT.to_h { |key| [key, event[key]] },
    keys: event.keys.map(&:to_s).sort,
    context: shown,
    method: request.request_method,
    path: request.path_info,
    query: request.query_string,
    headers: headers(request.env)
  }
end

def headers(env)
  env.select { |name, _| name.start_with?('HTTP_') || name == 'CONTENT_TYPE' }
     .transform_keys { |name| name.delete_prefix('HTTP_').downcase.tr('_', '-') }
end

def describe(data)
  return { type: 'String', base64: [data].pack('m0') } if data.is_a?(String)

  { type: data.class.name, value: data }
end
