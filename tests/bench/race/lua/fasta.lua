-- Random DNA in FASTA format; the same as tests/bench/programs/fasta.ten.
local ffi = require("ffi")

local LINE_LENGTH = 60
local MODULUS = 139968
local ALU = "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGG"
  .. "GAGGCCGAGGCGGGCGGATCACCTGAGGTCAGGAGTTCGAGA"
  .. "CCAGCCTGGCCAACATGGTGAAACCCCGTCTCTACTAAAAAT"
  .. "ACAAAAATTAGCCGGGCGTGGTGGCGCGCGCCTGTAATCCCA"
  .. "GCTACTCGGGAGGCTGAGGCAGGAGAATCGCTTGAACCCGGG"
  .. "AGGCGGAGGTTGCAGTGAGCCGAGATCGCGCCACTGCACTCC"
  .. "AGCCTGGGCGACAGAGCGAGACTCCGTCTCAAAAA"

io.stdout:setvbuf("full", 65536)

local function letters(codes, probabilities)
  local list, sum = {}, 0
  for i, probability in ipairs(probabilities) do
    sum = sum + probability
    list[i] = { code = codes:byte(i), probability = sum }
  end
  return list
end

local seed = 42

local function random()
  seed = (seed * 3877 + 29573) % MODULUS
  return seed / MODULUS
end

local function pick(list)
  local r = random()
  for i = 1, #list do
    local letter = list[i]
    if r < letter.probability then return letter.code end
  end
  return list[#list].code
end

local function repeat_fasta(text, n)
  local twice = text .. text:sub(1, LINE_LENGTH)
  local at, left = 0, n
  while left > 0 do
    local width = math.min(left, LINE_LENGTH)
    io.write(twice:sub(at + 1, at + width), "\n")
    at = (at + width) % #text
    left = left - width
  end
end

local function random_fasta(list, n)
  local line = ffi.new("uint8_t[?]", LINE_LENGTH + 1)
  local left = n
  while left > 0 do
    local width = math.min(left, LINE_LENGTH)
    for i = 0, width - 1 do line[i] = pick(list) end
    line[width] = 10
    io.write(ffi.string(line, width + 1))
    left = left - width
  end
end

local n = tonumber(arg[1] or "1000")
print(">ONE Homo sapiens alu")
repeat_fasta(ALU, 2 * n)
print(">TWO IUB ambiguity codes")
local ambiguous = { 0.27, 0.12, 0.12, 0.27 }
for i = 5, 15 do ambiguous[i] = 0.02 end
random_fasta(letters("acgtBDHKMNRSVWY", ambiguous), 3 * n)
print(">THREE Homo sapiens frequency")
random_fasta(letters("acgt", { 0.3029549426680, 0.1979883004921, 0.1975473066391, 0.3015094502008 }), 5 * n)
