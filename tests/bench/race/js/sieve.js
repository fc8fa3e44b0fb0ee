// Sieve of Eratosthenes; the same as tests/bench/programs/sieve.ten.
'use strict';

function sieve(flags, size) {
  let primes = 0;
  for (let i = 2; i <= size; i++) {
    if (flags[i - 1]) {
      primes++;
      for (let k = i + i; k <= size; k += i) flags[k - 1] = false;
    }
  }
  return primes;
}

const rounds = parseInt(process.argv[2] ?? '10');
let result = 0;
for (let i = 0; i < rounds; i++) result = sieve(new Array(5000).fill(true), 5000);
console.log(result);
