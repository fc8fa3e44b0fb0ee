// Takeuchi's function on linked lists; the same as tests/bench/programs/list.ten.
'use strict';

class Element {
  constructor(value, next) {
    this.value = value;
    this.next = next;
  }
}

function makeList(length) {
  return length === 0 ? null : new Element(length, makeList(length - 1));
}

function isShorterThan(x, y) {
  let a = x;
  let b = y;
  while (b !== null) {
    if (a === null) return true;
    a = a.next;
    b = b.next;
  }
  return false;
}

function tail(x, y, z) {
  if (isShorterThan(y, x)) {
    return tail(tail(x.next, y, z), tail(y.next, z, x), tail(z.next, x, y));
  }
  return z;
}

function length(list) {
  let n = 0;
  for (let at = list; at !== null; at = at.next) n++;
  return n;
}

const rounds = parseInt(process.argv[2] ?? '10');
let result = 0;
for (let i = 0; i < rounds; i++) result = length(tail(makeList(15), makeList(10), makeList(6)));
console.log(result);
