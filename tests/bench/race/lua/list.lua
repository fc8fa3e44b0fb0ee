-- Takeuchi's function on linked lists; the same as tests/bench/programs/list.ten.

local function make_list(length)
  if length == 0 then return nil end
  return { value = length, next = make_list(length - 1) }
end

local function is_shorter_than(x, y)
  local a, b = x, y
  while b do
    if not a then return true end
    a, b = a.next, b.next
  end
  return false
end

local function tail(x, y, z)
  if is_shorter_than(y, x) then
    return tail(tail(x.next, y, z), tail(y.next, z, x), tail(z.next, x, y))
  end
  return z
end

local function length(list)
  local n = 0
  while list do
    n = n + 1
    list = list.next
  end
  return n
end

local result = 0
for _ = 1, tonumber(arg[1] or "10") do result = length(tail(make_list(15), make_list(10), make_list(6))) end
print(result)
