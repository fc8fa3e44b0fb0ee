-- Permutations by swapping; the same as tests/bench/programs/permute.ten.

local function swap(v, i, j)
  v[i], v[j] = v[j], v[i]
end

local function permute(p, n)
  p.count = p.count + 1
  if n ~= 0 then
    local n1 = n - 1
    permute(p, n1)
    for i = n1, 0, -1 do
      swap(p.v, n1, i)
      permute(p, n1)
      swap(p.v, n1, i)
    end
  end
end

local result = 0
for _ = 1, tonumber(arg[1] or "10") do
  local p = { count = 0, v = { [0] = 0, 1, 2, 3, 4, 5 } }
  permute(p, 6)
  result = p.count
end
print(result)
