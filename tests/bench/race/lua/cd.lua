-- Collision detection between aircraft; the same as tests/bench/programs/cd.ten.
local Tree = require("red_black")
local sqrt, sin, cos = math.sqrt, math.sin, math.cos

local LOW, HIGH, HIGH_Z = 0, 1000, 10
local PROXIMITY_RADIUS = 1
local VOXEL_SIZE = 2

local function compare(a, b)
  if a == b then return 0 end
  return a < b and -1 or 1
end

local Vec2 = {}
Vec2.__index = Vec2

local function vec2(x, y) return setmetatable({ x = x, y = y }, Vec2) end

function Vec2:plus(other) return vec2(self.x + other.x, self.y + other.y) end
function Vec2:minus(other) return vec2(self.x - other.x, self.y - other.y) end

function Vec2:compare(other)
  local order = compare(self.x, other.x)
  if order ~= 0 then return order end
  return compare(self.y, other.y)
end

local Vec3 = {}
Vec3.__index = Vec3

local function vec3(x, y, z) return setmetatable({ x = x, y = y, z = z }, Vec3) end

function Vec3:plus(other) return vec3(self.x + other.x, self.y + other.y, self.z + other.z) end
function Vec3:minus(other) return vec3(self.x - other.x, self.y - other.y, self.z - other.z) end
function Vec3:times(factor) return vec3(self.x * factor, self.y * factor, self.z * factor) end
function Vec3:dot(other) return self.x * other.x + self.y * other.y + self.z * other.z end
function Vec3:squared_magnitude() return self:dot(self) end
function Vec3:magnitude() return sqrt(self:squared_magnitude()) end

local CallSign = {}
CallSign.__index = CallSign

function CallSign:compare(other) return compare(self.value, other.value) end

local Motion = {}
Motion.__index = Motion

function Motion:delta() return self.finish:minus(self.start) end

function Motion:find_intersection(other)
  local radius = PROXIMITY_RADIUS
  local delta1, delta2 = self:delta(), other:delta()
  local a = delta2:minus(delta1):squared_magnitude()
  if a ~= 0 then
    local b = 2 * self.start:minus(other.start):dot(delta1:minus(delta2))
    local c = -radius * radius + other.start:minus(self.start):squared_magnitude()
    local discriminant = b * b - 4 * a * c
    if discriminant < 0 then return false end
    local v1 = (-b - sqrt(discriminant)) / (2 * a)
    local v2 = (-b + sqrt(discriminant)) / (2 * a)
    if v1 <= v2 and (v1 <= 1 and 1 <= v2 or v1 <= 0 and 0 <= v2 or 0 <= v1 and v2 <= 1) then
      local v = v1 <= 0 and 0 or v1
      local at1 = self.start:plus(delta1:times(v))
      local at2 = other.start:plus(delta2:times(v))
      local at = at1:plus(at2):times(0.5)
      if at.x >= LOW and at.x <= HIGH and at.y >= LOW and at.y <= HIGH and at.z >= LOW and at.z <= HIGH_Z then
        return at
      end
    end
    return false
  end
  if other.start:minus(self.start):magnitude() <= radius then return self.start:plus(other.start):times(0.5) end
  return false
end

local function meets_frame(low, high)
  return low <= 1 and 1 <= high or low <= 0 and 0 <= high or 0 <= low and high <= 1
end

local function is_in_voxel(voxel, motion)
  if voxel.x > HIGH or voxel.x < LOW or voxel.y > HIGH or voxel.y < LOW then return false end
  local r = PROXIMITY_RADIUS / 2
  local x0, y0 = motion.start.x, motion.start.y
  local xv, yv = motion.finish.x - x0, motion.finish.y - y0
  local low_x = (voxel.x - r - x0) / xv
  local high_x = (voxel.x + VOXEL_SIZE + r - x0) / xv
  if xv < 0 then low_x, high_x = high_x, low_x end
  local low_y = (voxel.y - r - y0) / yv
  local high_y = (voxel.y + VOXEL_SIZE + r - y0) / yv
  if yv < 0 then low_y, high_y = high_y, low_y end
  local meets_x = xv == 0 and voxel.x <= x0 + r and x0 - r <= voxel.x + VOXEL_SIZE or meets_frame(low_x, high_x)
  local meets_y = yv == 0 and voxel.y <= y0 + r and y0 - r <= voxel.y + VOXEL_SIZE or meets_frame(low_y, high_y)
  return meets_x and meets_y and (xv == 0 or yv == 0
    or low_y <= high_x and high_x <= high_y
    or low_y <= low_x and low_x <= high_y
    or low_x <= low_y and high_y <= high_x)
end

local HORIZONTAL = vec2(VOXEL_SIZE, 0)
local VERTICAL = vec2(0, VOXEL_SIZE)

local function truncate(x) return x < 0 and math.ceil(x) or math.floor(x) end

local function voxel_of(position)
  local x = VOXEL_SIZE * truncate(position.x / VOXEL_SIZE)
  local y = VOXEL_SIZE * truncate(position.y / VOXEL_SIZE)
  return vec2(position.x < 0 and x - VOXEL_SIZE or x, position.y < 0 and y - VOXEL_SIZE or y)
end

local function spread(map, seen, voxel, motion)
  if not is_in_voxel(voxel, motion) or seen:put(voxel, true) then return end
  local motions = map:get(voxel)
  if motions then
    motions[#motions + 1] = motion
  else
    map:put(voxel, { motion })
  end
  spread(map, seen, voxel:minus(HORIZONTAL), motion)
  spread(map, seen, voxel:plus(HORIZONTAL), motion)
  spread(map, seen, voxel:minus(VERTICAL), motion)
  spread(map, seen, voxel:plus(VERTICAL), motion)
  spread(map, seen, voxel:minus(HORIZONTAL):minus(VERTICAL), motion)
  spread(map, seen, voxel:minus(HORIZONTAL):plus(VERTICAL), motion)
  spread(map, seen, voxel:plus(HORIZONTAL):minus(VERTICAL), motion)
  spread(map, seen, voxel:plus(HORIZONTAL):plus(VERTICAL), motion)
end

local function reduce(motions)
  local map, near = Tree.new(), {}
  for _, motion in ipairs(motions) do spread(map, Tree.new(), voxel_of(motion.start), motion) end
  map:each(function(_, found)
    if #found > 1 then near[#near + 1] = found end
  end)
  return near
end

local positions = Tree.new()

local function handle_frame(frame)
  local motions, seen = {}, Tree.new()
  for i = 1, #frame do
    local aircraft = frame[i]
    local before = positions:put(aircraft.callsign, aircraft.position)
    seen:put(aircraft.callsign, true)
    motions[i] = setmetatable({
      callsign = aircraft.callsign, start = before or aircraft.position, finish = aircraft.position,
    }, Motion)
  end

  local gone = {}
  positions:each(function(callsign)
    if not seen:get(callsign) then gone[#gone + 1] = callsign end
  end)
  for _, callsign in ipairs(gone) do positions:remove(callsign) end

  local collisions = {}
  for _, near in ipairs(reduce(motions)) do
    for i = 1, #near do
      local motion1 = near[i]
      for j = i + 1, #near do
        local motion2 = near[j]
        local position = motion1:find_intersection(motion2)
        if position then
          collisions[#collisions + 1] = {
            aircraft_a = motion1.callsign, aircraft_b = motion2.callsign, position = position,
          }
        end
      end
    end
  end
  return collisions
end

local callsigns = {}
for i = 1, tonumber(arg[1] or "100") do callsigns[i] = setmetatable({ value = "foo" .. (i - 1) }, CallSign) end

local function simulate(time)
  local frame = {}
  for i = 1, #callsigns, 2 do
    local y = (i - 1) * 3
    frame[i] = { callsign = callsigns[i], position = vec3(time, cos(time) * 2 + y, 10) }
    frame[i + 1] = { callsign = callsigns[i + 1], position = vec3(time, sin(time) * 2 + y, 10) }
  end
  return frame
end

local collisions = 0
for i = 0, 199 do collisions = collisions + #handle_frame(simulate(i / 10)) end
print(collisions)
