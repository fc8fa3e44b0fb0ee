-- GCBench; the same as tests/bench/programs/gc_bench.ten.
local ffi = require("ffi")

local function node(left, right) return { left = left, right = right, i = 0, j = 0 } end

local function populate(tree, depth)
  if depth > 0 then
    tree.left = node(false, false)
    tree.right = node(false, false)
    populate(tree.left, depth - 1)
    populate(tree.right, depth - 1)
  end
end

local function count(tree)
  local n = 1
  if tree.left then n = n + count(tree.left) end
  if tree.right then n = n + count(tree.right) end
  return n
end

local function make(depth)
  if depth == 0 then return node(false, false) end
  return node(make(depth - 1), make(depth - 1))
end

local function tree_size(depth) return 2 ^ (depth + 1) - 1 end

local long_lived_depth = tonumber(arg[1] or "16")
local array_size = 500000
local stretch_depth = long_lived_depth + 2
local least_depth = 4

print(string.format("stretch tree of depth %d: %d nodes", stretch_depth, count(make(stretch_depth))))

local long_lived = node(false, false)
populate(long_lived, long_lived_depth)
local array = ffi.new("double[?]", array_size)
for i = 1, array_size / 2 - 1 do array[i] = 1 / i end

for depth = least_depth, long_lived_depth, 2 do
  local rounds = math.floor(2 * tree_size(stretch_depth) / tree_size(depth))
  local nodes = 0
  for _ = 1, rounds do
    local top_down = node(false, false)
    populate(top_down, depth)
    nodes = nodes + count(top_down)
  end
  for _ = 1, rounds do nodes = nodes + count(make(depth)) end
  print(string.format("%d trees of depth %d: %d nodes", 2 * rounds, depth, nodes))
end

print(string.format("long-lived tree of depth %d: %d nodes, array[1000] = %s", long_lived_depth, count(long_lived), array[1000]))
