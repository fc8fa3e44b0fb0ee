-- Towers of Hanoi with linked disks; the same as tests/bench/programs/towers.ten.

local Towers = {}
Towers.__index = Towers

function Towers:push(disk, pile)
  local top = self.piles[pile]
  if top and disk.size >= top.size then error("cannot put a big disk on a smaller one") end
  disk.next = top
  self.piles[pile] = disk
end

function Towers:pop(pile)
  local top = self.piles[pile]
  if not top then error("attempting to remove a disk from an empty pile") end
  self.piles[pile] = top.next
  top.next = false
  return top
end

function Towers:shift_top(from, to)
  self:push(self:pop(from), to)
  self.moves = self.moves + 1
end

function Towers:shift(disks, from, to)
  if disks == 1 then
    self:shift_top(from, to)
  else
    local other = 6 - from - to
    self:shift(disks - 1, from, other)
    self:shift_top(from, to)
    self:shift(disks - 1, other, to)
  end
end

local result = 0
for _ = 1, tonumber(arg[1] or "10") do
  local towers = setmetatable({ piles = { false, false, false }, moves = 0 }, Towers)
  for size = 13, 0, -1 do towers:push({ size = size, next = false }, 1) end
  towers:shift(13, 1, 2)
  result = towers.moves
end
print(result)
