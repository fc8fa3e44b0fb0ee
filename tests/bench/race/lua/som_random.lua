-- The random numbers that the are-we-fast-yet programs share.
local band = require("bit").band

local Random = {}
Random.__index = Random

function Random.new() return setmetatable({ seed = 74755 }, Random) end

function Random:next()
  self.seed = band(self.seed * 1309 + 13849, 65535)
  return self.seed
end

return Random
