-- Eight queens; the same as tests/bench/programs/queens.ten.

local Queens = {}
Queens.__index = Queens

local function filled(n, value)
  local list = {}
  for i = 1, n do list[i] = value end
  return list
end

function Queens.new()
  return setmetatable({
    free_rows = filled(8, true),
    free_maxs = filled(16, true),
    free_mins = filled(16, true),
    rows = filled(8, -1),
  }, Queens)
end

function Queens:is_free(row, column)
  return self.free_rows[row] and self.free_maxs[column + row - 1] and self.free_mins[column - row + 8]
end

function Queens:set(row, column, free)
  self.free_rows[row] = free
  self.free_maxs[column + row - 1] = free
  self.free_mins[column - row + 8] = free
end

function Queens:place(column)
  for row = 1, 8 do
    if self:is_free(row, column) then
      self.rows[row] = column
      self:set(row, column, false)
      if column == 8 or self:place(column + 1) then return true end
      self:set(row, column, true)
    end
  end
  return false
end

local result = true
for _ = 1, tonumber(arg[1] or "10") * 10 do result = result and Queens.new():place(1) end
print(result)
