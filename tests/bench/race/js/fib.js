// Naive Fibonacci; the same as tests/bench/programs/fib.ten.
'use strict';

function fib(n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

console.log(fib(parseInt(process.argv[2] ?? '32')));
