// Binary trees; the same as tests/bench/programs/binary_trees.ten.
'use strict';

class Tree {
  constructor(left, right) {
    this.left = left;
    this.right = right;
  }

  count() {
    return this.left === null ? 1 : 1 + this.left.count() + this.right.count();
  }
}

function build(depth) {
  return depth === 0 ? new Tree(null, null) : new Tree(build(depth - 1), build(depth - 1));
}

const n = parseInt(process.argv[2] ?? '10');
const least = 4;
const most = Math.max(least + 2, n);
const stretch = most + 1;
console.log(`stretch tree of depth ${stretch}\t check: ${build(stretch).count()}`);
const longLived = build(most);
for (let depth = least; depth <= most; depth += 2) {
  const rounds = 1 << (most - depth + least);
  let check = 0;
  for (let i = 0; i < rounds; i++) check += build(depth).count();
  console.log(`${rounds}\t trees of depth ${depth}\t check: ${check}`);
}
console.log(`long lived tree of depth ${most}\t check: ${longLived.count()}`);
