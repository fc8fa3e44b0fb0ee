-- Flips of permutations; the same as tests/bench/programs/fannkuch_redux.ten.
local ffi = require("ffi")

local function fannkuch(n)
  local first = ffi.new("int32_t[?]", n)
  local work = ffi.new("int32_t[?]", n)
  local count = ffi.new("int32_t[?]", n)
  for i = 0, n - 1 do first[i] = i end
  local checksum, most, rounds, r = 0, 0, 0, n
  while true do
    while r > 1 do
      count[r - 1] = r
      r = r - 1
    end
    ffi.copy(work, first, 4 * n)
    local flips = 0
    local k = work[0]
    while k ~= 0 do
      local low, high = 0, k
      while low < high do
        work[low], work[high] = work[high], work[low]
        low, high = low + 1, high - 1
      end
      flips = flips + 1
      k = work[0]
    end
    if flips > most then most = flips end
    checksum = rounds % 2 == 0 and checksum + flips or checksum - flips
    while true do
      if r == n then return checksum, most end
      local head = first[0]
      for i = 0, r - 1 do first[i] = first[i + 1] end
      first[r] = head
      count[r] = count[r] - 1
      if count[r] > 0 then break end
      r = r + 1
    end
    rounds = rounds + 1
  end
end

local n = tonumber(arg[1] or "9")
local checksum, most = fannkuch(n)
print(string.format("%d\nPfannkuchen(%d) = %d", checksum, n, most))
