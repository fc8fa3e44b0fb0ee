// Permutations by swapping; the same as tests/bench/programs/permute.ten.
'use strict';

class Permute {
  constructor() {
    this.count = 0;
    this.v = [0, 1, 2, 3, 4, 5];
  }

  permute(n) {
    this.count++;
    if (n !== 0) {
      const n1 = n - 1;
      this.permute(n1);
      for (let i = n1; i >= 0; i--) {
        this.swap(n1, i);
        this.permute(n1);
        this.swap(n1, i);
      }
    }
  }

  swap(i, j) {
    const v = this.v;
    const t = v[i];
    v[i] = v[j];
    v[j] = t;
  }
}

const rounds = parseInt(process.argv[2] ?? '10');
let result = 0;
for (let i = 0; i < rounds; i++) {
  const p = new Permute();
  p.permute(6);
  result = p.count;
}
console.log(result);
