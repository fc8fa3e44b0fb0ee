-- The spectral norm; the same as tests/bench/programs/spectral_norm.ten.
local ffi = require("ffi")

local function a(i, j)
  return 1 / ((i + j) * (i + j + 1) * 0.5 + i + 1)
end

local function multiply(n, v, result)
  for i = 0, n - 1 do
    local sum = 0
    for j = 0, n - 1 do sum = sum + a(i, j) * v[j] end
    result[i] = sum
  end
end

local function multiply_transposed(n, v, result)
  for i = 0, n - 1 do
    local sum = 0
    for j = 0, n - 1 do sum = sum + a(j, i) * v[j] end
    result[i] = sum
  end
end

local function multiply_both(n, v, result, between)
  multiply(n, v, between)
  multiply_transposed(n, between, result)
end

local n = tonumber(arg[1] or "100")
local u, v, between = ffi.new("double[?]", n), ffi.new("double[?]", n), ffi.new("double[?]", n)
for i = 0, n - 1 do u[i] = 1 end
for _ = 1, 10 do
  multiply_both(n, u, v, between)
  multiply_both(n, v, u, between)
end
local vbv, vv = 0, 0
for i = 0, n - 1 do
  vbv = vbv + u[i] * v[i]
  vv = vv + v[i] * v[i]
end
print(string.format("%.9f", math.sqrt(vbv / vv)))
