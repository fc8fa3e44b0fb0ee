// DNA read backwards; the same as tests/bench/programs/reverse_complement.ten.
'use strict';
const fs = require('fs');

const LINE_LENGTH = 60;

const table = Buffer.alloc(256);
for (let i = 0; i < 256; i++) table[i] = i;
const from = Buffer.from('ACGTUMRWSYKVHDBN');
const to = Buffer.from('TGCAAKYWSRMBDHVN');
for (let i = 0; i < from.length; i++) {
  table[from[i]] = to[i];
  table[from[i] + 32] = to[i];
}

const output = [];

function writeReversed(sequence) {
  const reversed = Buffer.allocUnsafe(sequence.length + Math.ceil(sequence.length / LINE_LENGTH));
  let filled = 0;
  let width = 0;
  for (let at = sequence.length - 1; at >= 0; at--) {
    reversed[filled++] = table[sequence[at]];
    width++;
    if (width === LINE_LENGTH || at === 0) {
      reversed[filled++] = 10;
      width = 0;
    }
  }
  output.push(reversed);
}

const input = fs.readFileSync(0);
const sequence = Buffer.allocUnsafe(input.length);
let length = 0;
for (let at = 0; at < input.length;) {
  let end = input.indexOf(10, at);
  if (end < 0) end = input.length;
  if (input[at] === 62) {
    writeReversed(sequence.subarray(0, length));
    length = 0;
    output.push(input.subarray(at, end + 1));
  } else {
    length += input.copy(sequence, length, at, end);
  }
  at = end + 1;
}
writeReversed(sequence.subarray(0, length));
fs.writeFileSync(1, Buffer.concat(output));
