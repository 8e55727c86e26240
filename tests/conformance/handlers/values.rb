# Returns the value that the path names.

VALUES = {
  '/text' => 'text é',
  '/empty' => '',
  '/bytes' => "\x00\xFF\xFE".b,
  '/object' => { 'a' => 1, 'é' => [true, nil] },
  '/list' => [1, nil],
  '/number' => 42,
  '/float' => 1.5,
  '/true' => true,
  '/false' => false,
  '/zero' => 0,
  '/nothing' => nil,
  '/large' => 'x' * 2_000_000
}.freeze

def handler(event, _context)
  VALUES.fetch(event[:extensions][:request].path_info)
end
