// A tree of arrays; the same as tests/bench/programs/storage.ten.
'use strict';
const { Random } = require('./som_random');

class Node {
  constructor(children) { this.children = children; }
}

class Storage {
  constructor(random) {
    this.random = random;
    this.count = 0;
  }

  build(depth) {
    this.count++;
    if (depth === 1) return new Node(new Array(this.random.next() % 10 + 1).fill(null));
    const children = new Array(4);
    for (let i = 0; i < 4; i++) children[i] = this.build(depth - 1);
    return new Node(children);
  }
}

const rounds = parseInt(process.argv[2] ?? '10');
let result = 0;
for (let i = 0; i < rounds; i++) {
  const storage = new Storage(new Random());
  storage.build(7);
  result = storage.count;
}
console.log(result);
