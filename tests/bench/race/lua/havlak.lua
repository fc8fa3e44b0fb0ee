-- Havlak's loop recognition; the same as tests/bench/programs/havlak.ten.

local UNVISITED = 2147483647
local MAX_NON_BACK_PREDS = 32768

-- The control flow graph; blocks are named from 0 and held from 1.

local Graph = {}
Graph.__index = Graph

function Graph.new() return setmetatable({ blocks = {}, edges = {}, start = nil }, Graph) end

function Graph:node(name)
  if name == #self.blocks then self.blocks[name + 1] = { name = name, ins = {}, outs = {} } end
  local block = self.blocks[name + 1]
  if #self.blocks == 1 then self.start = block end
  return block
end

function Graph:connect(from_name, to_name)
  local from, to = self:node(from_name), self:node(to_name)
  from.outs[#from.outs + 1] = to
  to.ins[#to.ins + 1] = from
  self.edges[#self.edges + 1] = { from = from, to = to }
end

function Graph:straight(start, n)
  for i = 0, n - 1 do self:connect(start + i, start + i + 1) end
  return start + n
end

function Graph:diamond(start)
  self:connect(start, start + 1)
  self:connect(start, start + 2)
  self:connect(start + 1, start + 3)
  self:connect(start + 2, start + 3)
  return start + 3
end

function Graph:base_loop(from)
  local header = self:straight(from, 1)
  local diamond1 = self:diamond(header)
  local d11 = self:straight(diamond1, 1)
  local diamond2 = self:diamond(d11)
  local footer = self:straight(diamond2, 1)
  self:connect(diamond2, d11)
  self:connect(diamond1, header)
  self:connect(footer, from)
  return self:straight(footer, 1)
end

-- The loops found.

local function new_loop(counter, header, is_reducible)
  return {
    counter = counter, header = header, is_reducible = is_reducible, blocks = {}, children = {},
    parent = false, is_root = false, nesting_level = 0, depth_level = 0,
  }
end

local function set_parent(loop, parent)
  loop.parent = parent
  parent.children[loop] = true
end

local function set_nesting_level(loop, level)
  loop.nesting_level = level
  if level == 0 then loop.is_root = true end
end

local function new_forest()
  local root = new_loop(0, false, true)
  set_nesting_level(root, 0)
  return { loops = { root } }
end

local function add_loop(forest, header, is_reducible)
  local loop = new_loop(#forest.loops, header, is_reducible)
  loop.blocks[header] = true
  forest.loops[#forest.loops + 1] = loop
  return loop
end

local function calculate_nesting(outer, depth)
  outer.depth_level = depth
  for inner in pairs(outer.children) do
    calculate_nesting(inner, depth + 1)
    set_nesting_level(outer, math.max(outer.nesting_level, 1 + inner.nesting_level))
  end
end

local function calculate_nesting_level(forest)
  local root = forest.loops[1]
  for _, each in ipairs(forest.loops) do
    if not each.is_root and not each.parent then set_parent(each, root) end
  end
  calculate_nesting(root, 0)
end

-- Union and find, with path compression.

local function find_set(start)
  local path, node = {}, start
  while node ~= node.parent do
    if node.parent ~= node.parent.parent then path[#path + 1] = node end
    node = node.parent
  end
  for i = 1, #path do path[i].parent = start.parent end
  return node
end

local NON_HEADER, REDUCIBLE, SELF_LOOP, IRREDUCIBLE, DEAD = 0, 1, 2, 3, 4

local Finder = {}
Finder.__index = Finder

function Finder.new(graph, forest)
  local self = setmetatable({
    graph = graph, forest = forest, non_back_preds = {}, back_preds = {}, number = {}, header = {}, class = {},
    last = {}, nodes = {},
  }, Finder)
  for i = 1, #graph.blocks do
    self.non_back_preds[i] = {}
    self.back_preds[i] = {}
    self.header[i] = 0
    self.class[i] = NON_HEADER
    self.last[i] = 0
    self.nodes[i] = { parent = false, block = false, found = false, dfs_number = 0 }
  end
  return self
end

function Finder:depth_first(block, current)
  local node = self.nodes[current]
  node.parent, node.block, node.dfs_number, node.found = node, block, current, false
  self.number[block] = current
  local last = current
  local outs = block.outs
  for i = 1, #outs do
    if self.number[outs[i]] == UNVISITED then last = self:depth_first(outs[i], last + 1) end
  end
  self.last[current] = last
  return last
end

function Finder:is_ancestor(w, v) return w <= v and v <= self.last[w] end

function Finder:add_non_back_pred(w, v)
  local preds = self.non_back_preds[w]
  for i = 1, #preds do
    if preds[i] == v then return end
  end
  preds[#preds + 1] = v
end

function Finder:identify_edges()
  for w = 1, #self.nodes do
    local block = self.nodes[w].block
    if not block then
      self.class[w] = DEAD
    else
      local ins = block.ins
      for i = 1, #ins do
        local v = self.number[ins[i]]
        if v ~= UNVISITED then
          if self:is_ancestor(w, v) then
            local preds = self.back_preds[w]
            preds[#preds + 1] = v
          else
            self:add_non_back_pred(w, v)
          end
        end
      end
    end
  end
end

function Finder:step_d(w, pool)
  for _, v in ipairs(self.back_preds[w]) do
    if v ~= w then
      pool[#pool + 1] = find_set(self.nodes[v])
    else
      self.class[w] = SELF_LOOP
    end
  end
end

local function contains(list, wanted)
  for i = 1, #list do
    if list[i] == wanted then return true end
  end
  return false
end

function Finder:step_e(w, pool, work, x)
  local preds = self.non_back_preds[x.dfs_number]
  local i = 1
  while i <= #preds do
    local y = find_set(self.nodes[preds[i]])
    if not self:is_ancestor(w, y.dfs_number) then
      self.class[w] = IRREDUCIBLE
      self:add_non_back_pred(w, y.dfs_number)
    elseif y.dfs_number ~= w and not contains(pool, y) then
      work[#work + 1] = y
      pool[#pool + 1] = y
    end
    i = i + 1
  end
end

function Finder:collapse(w, pool, found)
  self.nodes[w].found = found
  for _, node in ipairs(pool) do
    self.header[node.dfs_number] = w
    node.parent = self.nodes[w]
    if node.found then
      set_parent(node.found, found)
    else
      found.blocks[node.block] = true
    end
  end
end

function Finder:find_loops()
  if not self.graph.start then return end
  for _, block in ipairs(self.graph.blocks) do self.number[block] = UNVISITED end
  self:depth_first(self.graph.start, 1)
  self:identify_edges()
  for w = #self.nodes, 1, -1 do
    local header = self.nodes[w].block
    if header then
      local pool, work = {}, {}
      self:step_d(w, pool)
      for i = 1, #pool do work[i] = pool[i] end
      if #pool > 0 then self.class[w] = REDUCIBLE end
      local at = 1
      while at <= #work do
        local x = work[at]
        at = at + 1
        if #self.non_back_preds[x.dfs_number] > MAX_NON_BACK_PREDS then return end
        self:step_e(w, pool, work, x)
      end
      if #pool > 0 or self.class[w] == SELF_LOOP then
        self:collapse(w, pool, add_loop(self.forest, header, self.class[w] ~= IRREDUCIBLE))
      end
    end
  end
end

local function find_loops(graph, forest) Finder.new(graph, forest):find_loops() end

local graph, forest = Graph.new(), new_forest()
graph:node(0)
graph:base_loop(0)
graph:node(1)
graph:connect(0, 2)
for _ = 1, tonumber(arg[1] or "15") do find_loops(graph, forest) end

local n = 2
for _ = 1, 10 do
  graph:node(n + 1)
  graph:connect(2, n + 1)
  n = n + 1
  for _ = 1, 10 do
    local top = n
    n = graph:straight(n, 1)
    for _ = 1, 5 do n = graph:base_loop(n) end
    local bottom = graph:straight(n, 1)
    graph:connect(n, top)
    n = bottom
  end
  graph:connect(n, 1)
end

find_loops(graph, forest)
for _ = 1, 50 do find_loops(graph, new_forest()) end
calculate_nesting_level(forest)
print(#forest.loops .. " " .. #graph.blocks)
