-- A JSON parser; the same as tests/bench/programs/json.ten. The message is cut out of the file beside that, so it
-- is to be run from the repository's root.
local bit = require("bit")
local band = bit.band
local byte, sub = string.byte, string.sub

local NULL, TRUE, FALSE = { kind = "null" }, { kind = "true" }, { kind = "false" }

local Object = {}
Object.__index = Object

local function new_object()
  local slots = {}
  for i = 1, 32 do slots[i] = 0 end
  return setmetatable({ kind = "object", names = {}, values = {}, slots = slots }, Object)
end

local function slot(name) return band(#name * 1402589, 31) + 1 end

function Object:add(name, value)
  local index = #self.names + 1
  self.slots[slot(name)] = index < 256 and index or 0
  self.names[index] = name
  self.values[index] = value
end

function Object:get(name)
  local index = self.slots[slot(name)]
  if index > 0 and self.names[index] == name then return self.values[index] end
  for i = 1, #self.names do
    if self.names[i] == name then return self.values[i] end
  end
end

local Parser = {}
Parser.__index = Parser

function Parser.new(input)
  return setmetatable({
    input = input, size = #input, index = 0, line = 1, line_start = 1, current = 0, capture_start = 0, captured = "",
  }, Parser)
end

function Parser:fail(message)
  error(string.format("%s at %d:%d", message, self.line, self.index - self.line_start + 1))
end

function Parser:expected(what)
  self:fail(self.index > self.size and "unexpected end" or "expected " .. what)
end

function Parser:read()
  if self.current == 10 then
    self.line = self.line + 1
    self.line_start = self.index + 1
  end
  local index = self.index + 1
  self.index = index
  self.current = index <= self.size and byte(self.input, index) or 0
end

function Parser:accept(wanted)
  if self.current ~= wanted then return false end
  self:read()
  return true
end

function Parser:accept_digit()
  if self.current < 48 or self.current > 57 then return false end
  self:read()
  return true
end

function Parser:skip_digits()
  while self:accept_digit() do end
end

function Parser:skip_white_space()
  while self.current == 32 or self.current == 9 or self.current == 10 or self.current == 13 do self:read() end
end

function Parser:end_capture()
  local last = sub(self.input, self.capture_start, self.index - 1)
  if self.captured == "" then return last end
  local all = self.captured .. last
  self.captured = ""
  return all
end

local escapes = {
  [34] = '"', [47] = "/", [92] = "\\", [98] = "\b", [102] = "\f", [110] = "\n", [114] = "\r", [116] = "\t",
}

function Parser:read_escape()
  self:read()
  local text = escapes[self.current]
  if not text then self:expected("an escape") end
  self.captured = self.captured .. text
  self:read()
end

function Parser:read_string()
  self:read()
  self.capture_start = self.index
  while self.current ~= 34 do
    if self.current == 92 then
      self.captured = self.captured .. sub(self.input, self.capture_start, self.index - 1)
      self:read_escape()
      self.capture_start = self.index
    elseif self.index > self.size then
      self:expected('`"`')
    else
      self:read()
    end
  end
  local text = self:end_capture()
  self:read()
  return text
end

function Parser:read_number()
  self.capture_start = self.index
  self:accept(45)
  local first = self.current
  if not self:accept_digit() then self:expected("a digit") end
  if first ~= 48 then self:skip_digits() end
  if self:accept(46) then
    if not self:accept_digit() then self:expected("a digit") end
    self:skip_digits()
  end
  if self:accept(101) or self:accept(69) then
    if not self:accept(43) then self:accept(45) end
    if not self:accept_digit() then self:expected("a digit") end
    self:skip_digits()
  end
  return { kind = "number", text = self:end_capture() }
end

function Parser:read_word(word, value)
  for i = 1, #word do
    if not self:accept(byte(word, i)) then self:expected(word) end
  end
  return value
end

function Parser:read_items()
  self:read()
  local items = {}
  local list = { kind = "items", items = items }
  self:skip_white_space()
  if self:accept(93) then return list end
  repeat
    self:skip_white_space()
    items[#items + 1] = self:read_value()
    self:skip_white_space()
  until not self:accept(44)
  if not self:accept(93) then self:expected("`,` or `]`") end
  return list
end

function Parser:read_object()
  self:read()
  local object = new_object()
  self:skip_white_space()
  if self:accept(125) then return object end
  repeat
    self:skip_white_space()
    if self.current ~= 34 then self:expected("a name") end
    local name = self:read_string()
    self:skip_white_space()
    if not self:accept(58) then self:expected("`:`") end
    self:skip_white_space()
    object:add(name, self:read_value())
    self:skip_white_space()
  until not self:accept(44)
  if not self:accept(125) then self:expected("`,` or `}`") end
  return object
end

function Parser:read_value()
  local current = self.current
  if current == 34 then return { kind = "text", text = self:read_string() } end
  if current == 91 then return self:read_items() end
  if current == 123 then return self:read_object() end
  if current == 110 then return self:read_word("null", NULL) end
  if current == 116 then return self:read_word("true", TRUE) end
  if current == 102 then return self:read_word("false", FALSE) end
  if current == 45 or current >= 48 and current <= 57 then return self:read_number() end
  self:expected("a value")
end

function Parser:parse()
  self:read()
  self:skip_white_space()
  local value = self:read_value()
  self:skip_white_space()
  if self.index <= self.size then self:fail("unexpected character") end
  return value
end

local file = assert(io.open("tests/bench/programs/json_message.ten", "rb"))
local message = file:read("*a"):match("'''(.-)'''")
file:close()
local result = 0
for _ = 1, tonumber(arg[1] or "10") do
  local whole = Parser.new(message):parse()
  assert(whole:get("head").kind == "object")
  result = #whole:get("operations").items
end
print(result)
