-- The Mandelbrot set as a portable bitmap; the same as tests/bench/programs/mandelbrot_bitmap.ten.
local ffi = require("ffi")
local bit = require("bit")
local bor, rshift, band = bit.bor, bit.rshift, bit.band

local function is_inside(cr, ci)
  local zr, zi, zr2, zi2 = 0, 0, 0, 0
  for _ = 1, 50 do
    zi = 2 * zr * zi + ci
    zr = zr2 - zi2 + cr
    zr2 = zr * zr
    zi2 = zi * zi
    if zr2 + zi2 > 4 then return false end
  end
  return true
end

local size = tonumber(arg[1] or "200")
local width = math.ceil(size / 8)
local row = ffi.new("uint8_t[?]", width)
io.write("P4\n", size, " ", size, "\n")
for y = 0, size - 1 do
  local ci = 2 * y / size - 1
  ffi.fill(row, width)
  for x = 0, size - 1 do
    if is_inside(2 * x / size - 1.5, ci) then
      local at = rshift(x, 3)
      row[at] = bor(row[at], rshift(128, band(x, 7)))
    end
  end
  io.write(ffi.string(row, width))
end
