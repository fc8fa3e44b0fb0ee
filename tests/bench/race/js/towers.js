// Towers of Hanoi with linked disks; the same as tests/bench/programs/towers.ten.
'use strict';

class Disk {
  constructor(size) {
    this.size = size;
    this.next = null;
  }
}

class Towers {
  constructor() {
    this.piles = [null, null, null];
    this.moves = 0;
  }

  push(disk, pile) {
    const top = this.piles[pile];
    if (top !== null && disk.size >= top.size) throw new Error('cannot put a big disk on a smaller one');
    disk.next = top;
    this.piles[pile] = disk;
  }

  pop(pile) {
    const top = this.piles[pile];
    if (top === null) throw new Error('attempting to remove a disk from an empty pile');
    this.piles[pile] = top.next;
    top.next = null;
    return top;
  }

  shift(disks, from, to) {
    if (disks === 1) {
      this.shiftTop(from, to);
    } else {
      const other = 3 - from - to;
      this.shift(disks - 1, from, other);
      this.shiftTop(from, to);
      this.shift(disks - 1, other, to);
    }
  }

  shiftTop(from, to) {
    this.push(this.pop(from), to);
    this.moves++;
  }
}

const rounds = parseInt(process.argv[2] ?? '10');
let result = 0;
for (let i = 0; i < rounds; i++) {
  const towers = new Towers();
  for (let size = 13; size >= 0; size--) towers.push(new Disk(size), 0);
  towers.shift(13, 0, 1);
  result = towers.moves;
}
console.log(result);
