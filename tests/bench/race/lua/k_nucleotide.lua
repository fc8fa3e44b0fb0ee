-- Counts of the parts of a DNA sequence; the same as tests/bench/programs/k_nucleotide.ten.

local function read_sequence(name)
  local parts, found = {}, false
  for line in io.lines() do
    if line:byte() == 62 then
      if found then break end
      found = line:sub(1, #name) == name
    elseif found then
      parts[#parts + 1] = line
    end
  end
  return table.concat(parts):upper()
end

local function count(sequence, length)
  local counts, sub = {}, string.sub
  for i = 1, #sequence - length + 1 do
    local part = sub(sequence, i, i + length - 1)
    counts[part] = (counts[part] or 0) + 1
  end
  return counts
end

local function print_frequencies(sequence, length)
  local total = #sequence - length + 1
  local sorted = {}
  for part, n in pairs(count(sequence, length)) do sorted[#sorted + 1] = { part, n } end
  table.sort(sorted, function(a, b)
    if a[2] == b[2] then return a[1] < b[1] end
    return a[2] > b[2]
  end)
  for _, pair in ipairs(sorted) do print(string.format("%s %.3f", pair[1], pair[2] * 100 / total)) end
  print()
end

local sequence = read_sequence(">THREE")
print_frequencies(sequence, 1)
print_frequencies(sequence, 2)
for _, part in ipairs({ "GGT", "GGTA", "GGTATT", "GGTATTTTAATT", "GGTATTTTAATTTATAGT" }) do
  print(string.format("%d\t%s", count(sequence, #part)[part] or 0, part))
end
