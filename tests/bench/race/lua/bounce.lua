-- Bouncing balls; the same as tests/bench/programs/bounce.ten.
local Random = require("som_random")
local abs = math.abs

local Ball = {}
Ball.__index = Ball

function Ball.new(random)
  return setmetatable({
    x = random:next() % 500,
    y = random:next() % 500,
    x_vel = random:next() % 300 - 150,
    y_vel = random:next() % 300 - 150,
  }, Ball)
end

function Ball:bounce()
  local x_limit, y_limit = 500, 500
  local bounced = false
  self.x = self.x + self.x_vel
  self.y = self.y + self.y_vel
  if self.x > x_limit then self.x, self.x_vel, bounced = x_limit, -abs(self.x_vel), true end
  if self.x < 0 then self.x, self.x_vel, bounced = 0, abs(self.x_vel), true end
  if self.y > y_limit then self.y, self.y_vel, bounced = y_limit, -abs(self.y_vel), true end
  if self.y < 0 then self.y, self.y_vel, bounced = 0, abs(self.y_vel), true end
  return bounced
end

local function bounces()
  local random = Random.new()
  local balls = {}
  for i = 1, 100 do balls[i] = Ball.new(random) end
  local count = 0
  for _ = 1, 50 do
    for i = 1, #balls do
      if balls[i]:bounce() then count = count + 1 end
    end
  end
  return count
end

local result = 0
for _ = 1, tonumber(arg[1] or "10") do result = bounces() end
print(result)
