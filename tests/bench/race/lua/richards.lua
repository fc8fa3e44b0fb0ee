-- Richards; the same as tests/bench/programs/richards.ten.
local bit = require("bit")
local band, bxor, rshift = bit.band, bit.bxor, bit.rshift

local IDLER, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = 1, 2, 3, 4, 5, 6
local DEVICE, WORK = 0, 1
local DATA_SIZE = 4

local function packet(link, identity, kind)
  return { link = link, identity = identity, kind = kind, datum = 0, data = { 0, 0, 0, 0 } }
end

local function append_to(added, queue)
  added.link = false
  if not queue then return added end
  local last = queue
  while last.link do last = last.link end
  last.link = added
  return queue
end

local Task = {}
Task.__index = Task

function Task:is_held_or_waiting()
  return self.holding or (not self.packet_pending and self.waiting)
end

function Task:add_input(added, current)
  if not self.input then
    self.input = added
    self.packet_pending = true
    if self.priority > current.priority then return self end
  else
    self.input = append_to(added, self.input)
  end
  return current
end

function Task:run()
  local message = false
  if self.packet_pending and self.waiting and not self.holding then
    message = self.input
    self.input = message.link
    self.packet_pending = self.input ~= false
    self.waiting = false
  end
  return self.work(message)
end

local Scheduler = {}
Scheduler.__index = Scheduler

function Scheduler.new()
  return setmetatable({
    queue_count = 0,
    hold_count = 0,
    tasks = { false, false, false, false, false, false },
    first = false,
    current = false,
    current_identity = 0,
  }, Scheduler)
end

function Scheduler:find(identity)
  return self.tasks[identity] or error("no task " .. identity)
end

function Scheduler:hold()
  self.hold_count = self.hold_count + 1
  self.current.holding = true
  return self.current.link
end

function Scheduler:wait()
  self.current.waiting = true
  return self.current
end

function Scheduler:queue(sent)
  local task = self:find(sent.identity)
  self.queue_count = self.queue_count + 1
  sent.link = false
  sent.identity = self.current_identity
  return task:add_input(sent, self.current)
end

function Scheduler:release(identity)
  local task = self:find(identity)
  task.holding = false
  if task.priority > self.current.priority then return task end
  return self.current
end

function Scheduler:add(identity, priority, queue, waiting, work)
  local task = setmetatable({
    link = self.first,
    identity = identity,
    priority = priority,
    input = queue,
    work = work,
    packet_pending = queue ~= false,
    waiting = waiting,
    holding = false,
  }, Task)
  self.first = task
  self.tasks[identity] = task
end

function Scheduler:add_idler(identity, priority, queue)
  local data = { control = 1, count = 10000 }
  self:add(identity, priority, queue, false, function()
    data.count = data.count - 1
    if data.count == 0 then return self:hold() end
    if band(data.control, 1) == 0 then
      data.control = rshift(data.control, 1)
      return self:release(DEVICE_A)
    end
    data.control = bxor(rshift(data.control, 1), 53256)
    return self:release(DEVICE_B)
  end)
end

function Scheduler:add_worker(identity, priority, queue)
  local data = { destination = HANDLER_A, count = 0 }
  self:add(identity, priority, queue, true, function(message)
    if not message then return self:wait() end
    data.destination = data.destination == HANDLER_A and HANDLER_B or HANDLER_A
    message.identity = data.destination
    message.datum = 0
    for i = 1, DATA_SIZE do
      data.count = data.count + 1
      if data.count > 26 then data.count = 1 end
      message.data[i] = 65 + data.count - 1
    end
    return self:queue(message)
  end)
end

function Scheduler:add_handler(identity, priority, queue)
  local data = { work = false, device = false }
  self:add(identity, priority, queue, true, function(work)
    if work then
      if work.kind == WORK then
        data.work = append_to(work, data.work)
      else
        data.device = append_to(work, data.device)
      end
    end
    local message = data.work
    if not message then return self:wait() end
    local count = message.datum
    if count >= DATA_SIZE then
      data.work = message.link
      return self:queue(message)
    end
    local device = data.device
    if not device then return self:wait() end
    data.device = device.link
    device.datum = message.data[count + 1]
    message.datum = count + 1
    return self:queue(device)
  end)
end

function Scheduler:add_device(identity, priority, queue)
  local data = { pending = false }
  self:add(identity, priority, queue, true, function(message)
    if message then
      data.pending = message
      return self:hold()
    end
    local pending = data.pending
    if not pending then return self:wait() end
    data.pending = false
    return self:queue(pending)
  end)
end

function Scheduler:schedule()
  self.current = self.first
  while self.current do
    local task = self.current
    if task:is_held_or_waiting() then
      self.current = task.link
    else
      self.current_identity = task.identity
      self.current = task:run()
    end
  end
end

local function packets(count, identity, kind)
  local queue = false
  for _ = 1, count do queue = packet(queue, identity, kind) end
  return queue
end

function Scheduler:start()
  self:add_idler(IDLER, 0, false)
  self:add_worker(WORKER, 1000, packets(2, WORKER, WORK))
  self:add_handler(HANDLER_A, 2000, packets(3, DEVICE_A, DEVICE))
  self:add_handler(HANDLER_B, 3000, packets(3, DEVICE_B, DEVICE))
  self:add_device(DEVICE_A, 4000, false)
  self:add_device(DEVICE_B, 5000, false)
  self:schedule()
  return self.queue_count == 23246 and self.hold_count == 9297
end

local result = true
for _ = 1, tonumber(arg[1] or "10") do result = Scheduler.new():start() and result end
print(result)
