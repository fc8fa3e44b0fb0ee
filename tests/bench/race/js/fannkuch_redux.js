// Flips of permutations; the same as tests/bench/programs/fannkuch_redux.ten.
'use strict';

function fannkuch(n) {
  const first = new Int32Array(n);
  const work = new Int32Array(n);
  const count = new Int32Array(n);
  for (let i = 0; i < n; i++) first[i] = i;
  let checksum = 0;
  let most = 0;
  let rounds = 0;
  let r = n;
  for (;;) {
    for (; r > 1; r--) count[r - 1] = r;
    for (let i = 0; i < n; i++) work[i] = first[i];
    let flips = 0;
    for (let k = work[0]; k !== 0; k = work[0]) {
      for (let low = 0, high = k; low < high; low++, high--) {
        const swapped = work[low];
        work[low] = work[high];
        work[high] = swapped;
      }
      flips++;
    }
    if (flips > most) most = flips;
    checksum += (rounds & 1) === 0 ? flips : -flips;
    for (;;) {
      if (r === n) return [checksum, most];
      const head = first[0];
      for (let i = 0; i < r; i++) first[i] = first[i + 1];
      first[r] = head;
      if (--count[r] > 0) break;
      r++;
    }
    rounds++;
  }
}

const n = parseInt(process.argv[2] ?? '9');
const [checksum, most] = fannkuch(n);
console.log(`${checksum}\nPfannkuchen(${n}) = ${most}`);
