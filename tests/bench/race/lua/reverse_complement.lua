-- DNA read backwards; the same as tests/bench/programs/reverse_complement.ten.
local ffi = require("ffi")

local LINE_LENGTH = 60
local ABOVE = 62

local complement = ffi.new("uint8_t[256]")
for i = 0, 255 do complement[i] = i end
local from, to = "ACGTUMRWSYKVHDBN", "TGCAAKYWSRMBDHVN"
for i = 1, #from do
  complement[from:byte(i)] = to:byte(i)
  complement[from:byte(i) + 32] = to:byte(i)
end

io.stdout:setvbuf("full", 65536)

local function write_reversed(sequence, length)
  local reversed = ffi.new("uint8_t[?]", length + math.ceil(length / LINE_LENGTH))
  local filled, width = 0, 0
  for at = length - 1, 0, -1 do
    reversed[filled] = complement[sequence[at]]
    filled, width = filled + 1, width + 1
    if width == LINE_LENGTH or at == 0 then
      reversed[filled] = 10
      filled, width = filled + 1, 0
    end
  end
  io.write(ffi.string(reversed, filled))
end

local input = io.read("*a")
local sequence = ffi.new("uint8_t[?]", #input)
local length, at = 0, 1
while at <= #input do
  local stop = input:find("\n", at, true) or #input + 1
  if input:byte(at) == ABOVE then
    write_reversed(sequence, length)
    length = 0
    io.write(input:sub(at, stop))
  else
    ffi.copy(sequence + length, ffi.cast("const char *", input) + at - 1, stop - at)
    length = length + stop - at
  end
  at = stop + 1
end
write_reversed(sequence, length)
