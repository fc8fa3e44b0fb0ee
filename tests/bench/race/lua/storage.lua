-- A tree of arrays; the same as tests/bench/programs/storage.ten.
local Random = require("som_random")
local new = require("table.new")

local Storage = {}
Storage.__index = Storage

function Storage:build(depth)
  self.count = self.count + 1
  if depth == 1 then
    local size = self.random:next() % 10 + 1
    local children = new(size, 0)
    for i = 1, size do children[i] = false end
    return { children = children }
  end
  local children = new(4, 0)
  for i = 1, 4 do children[i] = self:build(depth - 1) end
  return { children = children }
end

local result = 0
for _ = 1, tonumber(arg[1] or "10") do
  local storage = setmetatable({ random = Random.new(), count = 0 }, Storage)
  storage:build(7)
  result = storage.count
end
print(result)
