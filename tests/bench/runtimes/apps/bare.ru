# Rack without a framework: JSON in, JSON out; below /sleep after 20 ms.

require 'json'

run(lambda do |env|
  body = JSON.generate(JSON.parse(env['rack.input'].read))
  sleep 0.02 if env['PATH_INFO'] == '/sleep'
  [200, { 'content-type' => 'application/json', 'content-length' => body.bytesize.to_s }, [body]]
end)
