-- Sieve of Eratosthenes; the same as tests/bench/programs/sieve.ten.

local function sieve(size)
  local flags = {}
  for i = 1, size do flags[i] = true end
  local primes = 0
  for i = 2, size do
    if flags[i - 1] then
      primes = primes + 1
      for k = i + i, size, i do flags[k - 1] = false end
    end
  end
  return primes
end

local result = 0
for _ = 1, tonumber(arg[1] or "10") do result = sieve(5000) end
print(result)
