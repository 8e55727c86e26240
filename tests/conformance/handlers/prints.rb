# Prints, and leaves the last line open.

def handler(_event, _context)
  puts 'to stdout é'
  warn 'to stderr'
  print 'an open line'
  'printed'
end
