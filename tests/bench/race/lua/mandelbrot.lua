-- The Mandelbrot set, its checksum; the same as tests/bench/programs/mandelbrot.ten.
local bit = require("bit")
local bxor, lshift = bit.bxor, bit.lshift

local function mandelbrot(size)
  local sum, byte_acc, bit_num = 0, 0, 0
  for y = 0, size - 1 do
    local ci = 2 * y / size - 1
    for x = 0, size - 1 do
      local cr = 2 * x / size - 1.5
      local zrzr, zi, zizi, escape = 0, 0, 0, 0
      for _ = 1, 50 do
        local zr = zrzr - zizi + cr
        zi = 2 * zr * zi + ci
        zrzr = zr * zr
        zizi = zi * zi
        if zrzr + zizi > 4 then
          escape = 1
          break
        end
      end
      byte_acc = lshift(byte_acc, 1) + escape
      bit_num = bit_num + 1
      if bit_num == 8 then
        sum = bxor(sum, byte_acc)
        byte_acc, bit_num = 0, 0
      elseif x == size - 1 then
        sum = bxor(sum, lshift(byte_acc, 8 - bit_num))
        byte_acc, bit_num = 0, 0
      end
    end
  end
  return sum
end

print(mandelbrot(tonumber(arg[1] or "500")))
