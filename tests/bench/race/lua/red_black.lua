-- The ordered map of the collision detector; the same as tests/bench/programs/red_black.ten. Keys have a `compare`.

local function least(node)
  while node.left do node = node.left end
  return node
end

local function successor(node)
  if node.right then return least(node.right) end
  local child, parent = node, node.parent
  while parent do
    if parent.left == child then return parent end
    child, parent = parent, parent.parent
  end
  return false
end

local function is_black(node) return not node or not node.red end

local Tree = {}
Tree.__index = Tree

function Tree.new() return setmetatable({ root = false }, Tree) end

function Tree:find(key)
  local at = self.root
  while at do
    local order = key:compare(at.key)
    if order == 0 then return at end
    if order < 0 then at = at.left else at = at.right end
  end
  return false
end

function Tree:get(key)
  local node = self:find(key)
  return node and node.value
end

function Tree:each(f)
  local node = self.root and least(self.root)
  while node do
    f(node.key, node.value)
    node = successor(node)
  end
end

function Tree:replace(old, node)
  local parent = old.parent
  if not parent then
    self.root = node
  elseif parent.left == old then
    parent.left = node
  else
    parent.right = node
  end
end

function Tree:rotate_left(x)
  local y = x.right
  x.right = y.left
  if y.left then y.left.parent = x end
  y.parent = x.parent
  self:replace(x, y)
  y.left = x
  x.parent = y
end

function Tree:rotate_right(y)
  local x = y.left
  y.left = x.right
  if x.right then x.right.parent = y end
  x.parent = y.parent
  self:replace(y, x)
  x.right = y
  y.parent = x
end

function Tree:balance_put(added)
  local x = added
  while x.parent and x.parent.red do
    local parent = x.parent
    local grandparent = parent.parent
    local is_left = grandparent.left == parent
    local uncle
    if is_left then uncle = grandparent.right else uncle = grandparent.left end
    if uncle and uncle.red then
      parent.red = false
      uncle.red = false
      grandparent.red = true
      x = grandparent
    elseif is_left then
      if parent.right == x then
        x = parent
        self:rotate_left(x)
      end
      x.parent.red = false
      grandparent.red = true
      self:rotate_right(grandparent)
    else
      if parent.left == x then
        x = parent
        self:rotate_right(x)
      end
      x.parent.red = false
      grandparent.red = true
      self:rotate_left(grandparent)
    end
  end
  self.root.red = false
end

function Tree:put(key, value)
  local parent, at, order = false, self.root, 0
  while at do
    order = key:compare(at.key)
    if order == 0 then
      local old = at.value
      at.value = value
      return old
    end
    parent = at
    if order < 0 then at = at.left else at = at.right end
  end
  local node = { key = key, value = value, parent = parent, left = false, right = false, red = true }
  if not parent then
    self.root = node
  elseif order < 0 then
    parent.left = node
  else
    parent.right = node
  end
  self:balance_put(node)
  return false
end

function Tree:balance_remove(start, start_parent)
  local x, parent = start, start_parent
  while x ~= self.root and is_black(x) do
    if parent.left == x then
      local sibling = parent.right
      if sibling.red then
        sibling.red = false
        parent.red = true
        self:rotate_left(parent)
        sibling = parent.right
      end
      if is_black(sibling.left) and is_black(sibling.right) then
        sibling.red = true
        x, parent = parent, parent.parent
      else
        if is_black(sibling.right) then
          sibling.left.red = false
          sibling.red = true
          self:rotate_right(sibling)
          sibling = parent.right
        end
        sibling.red = parent.red
        parent.red = false
        if sibling.right then sibling.right.red = false end
        self:rotate_left(parent)
        x, parent = self.root, false
      end
    else
      local sibling = parent.left
      if sibling.red then
        sibling.red = false
        parent.red = true
        self:rotate_right(parent)
        sibling = parent.left
      end
      if is_black(sibling.right) and is_black(sibling.left) then
        sibling.red = true
        x, parent = parent, parent.parent
      else
        if is_black(sibling.left) then
          sibling.right.red = false
          sibling.red = true
          self:rotate_left(sibling)
          sibling = parent.left
        end
        sibling.red = parent.red
        parent.red = false
        if sibling.left then sibling.left.red = false end
        self:rotate_right(parent)
        x, parent = self.root, false
      end
    end
  end
  if x then x.red = false end
end

function Tree:remove(key)
  local z = self:find(key)
  if not z then return false end
  local y = z
  if z.left and z.right then y = successor(z) end
  local x = y.left or y.right
  local x_parent = y.parent
  if x then x.parent = x_parent end
  self:replace(y, x)
  if y ~= z then
    if not y.red then self:balance_remove(x, x_parent) end
    y.parent, y.red, y.left, y.right = z.parent, z.red, z.left, z.right
    if z.left then z.left.parent = y end
    if z.right then z.right.parent = y end
    self:replace(z, y)
  elseif not y.red then
    self:balance_remove(x, x_parent)
  end
  return z.value
end

return Tree
