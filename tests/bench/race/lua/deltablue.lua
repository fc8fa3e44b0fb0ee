-- DeltaBlue; the same as tests/bench/programs/deltablue.ten.

local REQUIRED, PREFERRED, STRONG_DEFAULT, DEFAULT, ABSOLUTE_WEAKEST = 1, 3, 4, 5, 7
local UNSATISFIED, FORWARD, BACKWARD = 0, 1, 2
local max = math.max

local Variable = {}
Variable.__index = Variable

function Variable.new(value)
  return setmetatable({
    value = value, constraints = {}, determined_by = false, walk_strength = ABSOLUTE_WEAKEST, stay = true, mark = 0,
  }, Variable)
end

function Variable:remove(constraint)
  local constraints, kept = self.constraints, 0
  for i = 1, #constraints do
    local c = constraints[i]
    constraints[i] = nil
    if c ~= constraint then
      kept = kept + 1
      constraints[kept] = c
    end
  end
  if self.determined_by == constraint then self.determined_by = false end
end

--- Appends the satisfied constraints that read this variable.
function Variable:add_consumers_to(todo)
  local constraints = self.constraints
  for i = 1, #constraints do
    local c = constraints[i]
    if c ~= self.determined_by and c.direction ~= UNSATISFIED then todo[#todo + 1] = c end
  end
end

local Constraint = {}

function Constraint:add_to(planner)
  self:each_variable(function(v) v.constraints[#v.constraints + 1] = self end)
  planner:incremental_add(self)
  return self
end

function Constraint:destroy(planner)
  if self:is_satisfied() then planner:incremental_remove(self) end
  self:remove_from_graph()
end

function Constraint:remove_from_graph()
  self:each_variable(function(v) v:remove(self) end)
  self.direction = UNSATISFIED
end

function Constraint:is_satisfied() return self.direction ~= UNSATISFIED end

function Constraint:is_input() return false end

function Constraint:inputs_known(mark)
  return not self:any_input(function(v) return v.mark ~= mark and not v.stay and v.determined_by ~= false end)
end

function Constraint:towards(target, mark, direction)
  if target.mark ~= mark and self.strength < target.walk_strength then return direction end
  return UNSATISFIED
end

function Constraint:satisfy(mark, planner)
  self:choose_method(mark)
  if not self:is_satisfied() then
    if self.strength == REQUIRED then error("could not satisfy a required constraint") end
    return false
  end
  self:each_input(function(v) v.mark = mark end)
  local out = self:output()
  local overridden = out.determined_by
  if overridden then overridden.direction = UNSATISFIED end
  out.determined_by = self
  if not planner:add_propagate(self, mark) then error("cycle encountered") end
  out.mark = mark
  return overridden
end

--- A class that begins with the methods of another, so that they are looked up in one step.
local function class(base)
  local new = {}
  for name, method in pairs(base) do new[name] = method end
  new.__index = new
  return new
end

local Stay = class(Constraint)

function Stay:each_variable(f) f(self.v) end
function Stay:each_input() end
function Stay:any_input() return false end
function Stay:output() return self.v end
function Stay:choose_method(mark) self.direction = self:towards(self.v, mark, FORWARD) end
function Stay:execute() end

function Stay:recalculate()
  self.v.walk_strength = self.strength
  self.v.stay = not self:is_input()
  if self.v.stay then self:execute() end
end

local Edit = class(Stay)

function Edit:is_input() return true end

local Equal = class(Constraint)

function Equal:source() return self.direction == FORWARD and self.v1 or self.v2 end
function Equal:target() return self.direction == FORWARD and self.v2 or self.v1 end
function Equal:output() return self:target() end

function Equal:each_variable(f)
  f(self.v1)
  f(self.v2)
end

function Equal:each_input(f) f(self:source()) end
function Equal:any_input(holds) return holds(self:source()) end

function Equal:choose_method(mark)
  local v1, v2 = self.v1, self.v2
  if v1.mark == mark then
    self.direction = self:towards(v2, mark, FORWARD)
  elseif v2.mark == mark then
    self.direction = self:towards(v1, mark, BACKWARD)
  elseif v1.walk_strength > v2.walk_strength then
    self.direction = self:towards(v1, mark, BACKWARD)
  else
    self.direction = self:towards(v2, mark, FORWARD)
  end
end

function Equal:execute() self:target().value = self:source().value end

function Equal:recalculate()
  local source, out = self:source(), self:output()
  out.walk_strength = max(self.strength, source.walk_strength)
  out.stay = source.stay
  if out.stay then self:execute() end
end

local Scale = class(Equal)

function Scale:each_variable(f)
  f(self.v1)
  f(self.v2)
  f(self.scale)
  f(self.offset)
end

function Scale:each_input(f)
  f(self:source())
  f(self.scale)
  f(self.offset)
end

function Scale:any_input(holds) return holds(self:source()) or holds(self.scale) or holds(self.offset) end

function Scale:execute()
  if self.direction == FORWARD then
    self.v2.value = self.v1.value * self.scale.value + self.offset.value
  else
    self.v1.value = math.floor((self.v2.value - self.offset.value) / self.scale.value)
  end
end

function Scale:recalculate()
  local source, out = self:source(), self:output()
  out.walk_strength = max(self.strength, source.walk_strength)
  out.stay = source.stay and self.scale.stay and self.offset.stay
  if out.stay then self:execute() end
end

local function unary(kind, v, strength)
  return setmetatable({ strength = strength, direction = UNSATISFIED, v = v }, kind)
end

local function binary(kind, v1, v2, strength, scale, offset)
  return setmetatable({
    strength = strength, direction = UNSATISFIED, v1 = v1, v2 = v2, scale = scale, offset = offset,
  }, kind)
end

local Planner = {}
Planner.__index = Planner

function Planner.new() return setmetatable({ mark = 1 }, Planner) end

function Planner:new_mark()
  self.mark = self.mark + 1
  return self.mark
end

function Planner:incremental_add(constraint)
  local mark = self:new_mark()
  local overridden = constraint:satisfy(mark, self)
  while overridden do overridden = overridden:satisfy(mark, self) end
end

function Planner:incremental_remove(constraint)
  local out = constraint:output()
  constraint.direction = UNSATISFIED
  constraint:remove_from_graph()
  for _, unsatisfied in ipairs(self:remove_propagate_from(out)) do self:incremental_add(unsatisfied) end
end

function Planner:extract_plan(constraints)
  local sources = {}
  for _, c in ipairs(constraints) do
    if c:is_input() and c:is_satisfied() then sources[#sources + 1] = c end
  end
  return self:make_plan(sources)
end

function Planner:make_plan(todo)
  local mark, plan, i = self:new_mark(), {}, 1
  while i <= #todo do
    local c = todo[i]
    local out = c:output()
    if out.mark ~= mark and c:inputs_known(mark) then
      plan[#plan + 1] = c
      out.mark = mark
      out:add_consumers_to(todo)
    end
    i = i + 1
  end
  return plan
end

function Planner:add_propagate(constraint, mark)
  local todo, i = { constraint }, 1
  while i <= #todo do
    local c = todo[i]
    local out = c:output()
    if out.mark == mark then
      self:incremental_remove(constraint)
      return false
    end
    c:recalculate()
    out:add_consumers_to(todo)
    i = i + 1
  end
  return true
end

function Planner:remove_propagate_from(out)
  out.determined_by = false
  out.walk_strength = ABSOLUTE_WEAKEST
  out.stay = true
  local unsatisfied, todo, i = {}, { out }, 1
  while i <= #todo do
    local v = todo[i]
    for _, c in ipairs(v.constraints) do
      if not c:is_satisfied() then unsatisfied[#unsatisfied + 1] = c end
    end
    local consumers = {}
    v:add_consumers_to(consumers)
    for _, c in ipairs(consumers) do
      c:recalculate()
      todo[#todo + 1] = c:output()
    end
    i = i + 1
  end
  table.sort(unsatisfied, function(a, b) return a.strength < b.strength end)
  return unsatisfied
end

local function execute(plan)
  for i = 1, #plan do plan[i]:execute() end
end

function Planner:change(variable, value)
  local edit = unary(Edit, variable, PREFERRED):add_to(self)
  local plan = self:extract_plan({ edit })
  for _ = 1, 10 do
    variable.value = value
    execute(plan)
  end
  edit:destroy(self)
end

local function chain_test(n)
  local planner, variables = Planner.new(), {}
  for i = 0, n do variables[i] = Variable.new(0) end
  for i = 0, n - 1 do binary(Equal, variables[i], variables[i + 1], REQUIRED):add_to(planner) end
  unary(Stay, variables[n], STRONG_DEFAULT):add_to(planner)
  local edit = unary(Edit, variables[0], PREFERRED):add_to(planner)
  local plan = planner:extract_plan({ edit })
  for i = 0, 99 do
    variables[0].value = i
    execute(plan)
    assert(variables[n].value == i)
  end
  edit:destroy(planner)
end

local function projection_test(n)
  local planner = Planner.new()
  local scale, offset = Variable.new(10), Variable.new(1000)
  local sources, targets = {}, {}
  for i = 1, n do
    local source, target = Variable.new(i), Variable.new(i)
    sources[i], targets[i] = source, target
    unary(Stay, source, DEFAULT):add_to(planner)
    binary(Scale, source, target, REQUIRED, scale, offset):add_to(planner)
  end
  local source, target = sources[n], targets[n]

  planner:change(source, 17)
  assert(target.value == 1170)
  planner:change(target, 1050)
  assert(source.value == 5)
  planner:change(scale, 5)
  for i = 1, n - 1 do assert(targets[i].value == i * 5 + 1000) end
  planner:change(offset, 2000)
  for i = 1, n - 1 do assert(targets[i].value == i * 5 + 2000) end
end

local n = tonumber(arg[1] or "1000")
chain_test(n)
projection_test(n)
print(true)
