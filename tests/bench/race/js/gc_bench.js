// GCBench; the same as tests/bench/programs/gc_bench.ten.
'use strict';

class Node {
  constructor(left, right) {
    this.left = left;
    this.right = right;
    this.i = 0;
    this.j = 0;
  }

  populate(depth) {
    if (depth > 0) {
      this.left = new Node(null, null);
      this.right = new Node(null, null);
      this.left.populate(depth - 1);
      this.right.populate(depth - 1);
    }
  }

  count() {
    let n = 1;
    if (this.left !== null) n += this.left.count();
    if (this.right !== null) n += this.right.count();
    return n;
  }
}

function make(depth) {
  return depth === 0 ? new Node(null, null) : new Node(make(depth - 1), make(depth - 1));
}

function treeSize(depth) {
  return (1 << depth + 1) - 1;
}

const longLivedDepth = parseInt(process.argv[2] ?? '16');
const arraySize = 500000;
const stretchDepth = longLivedDepth + 2;
const leastDepth = 4;

console.log(`stretch tree of depth ${stretchDepth}: ${make(stretchDepth).count()} nodes`);

const longLived = new Node(null, null);
longLived.populate(longLivedDepth);
const array = new Float64Array(arraySize);
for (let i = 1; i < arraySize / 2; i++) array[i] = 1 / i;

for (let depth = leastDepth; depth <= longLivedDepth; depth += 2) {
  const rounds = Math.trunc(2 * treeSize(stretchDepth) / treeSize(depth));
  let nodes = 0;
  for (let i = 0; i < rounds; i++) {
    const topDown = new Node(null, null);
    topDown.populate(depth);
    nodes += topDown.count();
  }
  for (let i = 0; i < rounds; i++) nodes += make(depth).count();
  console.log(`${2 * rounds} trees of depth ${depth}: ${nodes} nodes`);
}
console.log(`long-lived tree of depth ${longLivedDepth}: ${longLived.count()} nodes, array[1000] = ${array[1000]}`);
