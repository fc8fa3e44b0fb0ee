-- Binary trees; the same as tests/bench/programs/binary_trees.ten.

local function build(depth)
  if depth == 0 then return { left = false, right = false } end
  return { left = build(depth - 1), right = build(depth - 1) }
end

local function count(tree)
  if not tree.left then return 1 end
  return 1 + count(tree.left) + count(tree.right)
end

local n = tonumber(arg[1] or "10")
local least = 4
local most = math.max(least + 2, n)
local stretch = most + 1
print(string.format("stretch tree of depth %d\t check: %d", stretch, count(build(stretch))))
local long_lived = build(most)
for depth = least, most, 2 do
  local rounds = 2 ^ (most - depth + least)
  local check = 0
  for _ = 1, rounds do check = check + count(build(depth)) end
  print(string.format("%d\t trees of depth %d\t check: %d", rounds, depth, check))
end
print(string.format("long lived tree of depth %d\t check: %d", most, count(long_lived)))
