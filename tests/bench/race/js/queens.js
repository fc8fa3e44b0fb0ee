// Eight queens; the same as tests/bench/programs/queens.ten.
'use strict';

class Queens {
  constructor() {
    this.freeRows = new Array(8).fill(true);
    this.freeMaxs = new Array(16).fill(true);
    this.freeMins = new Array(16).fill(true);
    this.rows = new Array(8).fill(-1);
  }

  place(column) {
    for (let row = 0; row < 8; row++) {
      if (this.isFree(row, column)) {
        this.rows[row] = column;
        this.set(row, column, false);
        if (column === 7 || this.place(column + 1)) return true;
        this.set(row, column, true);
      }
    }
    return false;
  }

  isFree(row, column) {
    return this.freeRows[row] && this.freeMaxs[column + row] && this.freeMins[column - row + 7];
  }

  set(row, column, free) {
    this.freeRows[row] = free;
    this.freeMaxs[column + row] = free;
    this.freeMins[column - row + 7] = free;
  }
}

const rounds = parseInt(process.argv[2] ?? '10');
let result = true;
for (let i = 0; i < rounds * 10; i++) result = result && new Queens().place(0);
console.log(result);
