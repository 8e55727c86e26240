# Tells what its container lets it do: its status as the kernel has it, and the folders it can write to.

def handler(event, context)
  { status: File.read('/proc/self/status'), writable: event[:data].select { |folder| writes(folder) } }
end

def writes(folder)
  File.write("#{folder}/written", 'x')
  true
rescue SystemCallError
  false
end
