// Random DNA in FASTA format; the same as tests/bench/programs/fasta.ten.
'use strict';
const fs = require('fs');

const LINE_LENGTH = 60;
const MODULUS = 139968;
const ALU = 'GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGG'
  + 'GAGGCCGAGGCGGGCGGATCACCTGAGGTCAGGAGTTCGAGA'
  + 'CCAGCCTGGCCAACATGGTGAAACCCCGTCTCTACTAAAAAT'
  + 'ACAAAAATTAGCCGGGCGTGGTGGCGCGCGCCTGTAATCCCA'
  + 'GCTACTCGGGAGGCTGAGGCAGGAGAATCGCTTGAACCCGGG'
  + 'AGGCGGAGGTTGCAGTGAGCCGAGATCGCGCCACTGCACTCC'
  + 'AGCCTGGGCGACAGAGCGAGACTCCGTCTCAAAAA';

// standard output, buffered
const buffer = Buffer.allocUnsafe(1 << 16);
let filled = 0;

function flush() {
  for (let at = 0; at < filled;) at += fs.writeSync(1, buffer, at, filled - at);
  filled = 0;
}

function print(line) {
  if (filled + line.length + 1 > buffer.length) flush();
  filled += buffer.write(line, filled, 'latin1');
  buffer[filled++] = 10;
}

function printBytes(line, length) {
  if (filled + length + 1 > buffer.length) flush();
  filled += line.copy(buffer, filled, 0, length);
  buffer[filled++] = 10;
}

function letters(codes, probabilities) {
  let sum = 0;
  return probabilities.map((probability, i) => {
    sum += probability;
    return { code: codes.charCodeAt(i), probability: sum };
  });
}

let seed = 42;

function random() {
  seed = (seed * 3877 + 29573) % MODULUS;
  return seed / MODULUS;
}

function pick(letters) {
  const r = random();
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i];
    if (r < letter.probability) return letter.code;
  }
  return letters[letters.length - 1].code;
}

function repeatFasta(text, n) {
  const twice = text + text.slice(0, LINE_LENGTH);
  let at = 0;
  for (let left = n; left > 0;) {
    const width = Math.min(left, LINE_LENGTH);
    print(twice.slice(at, at + width));
    at = (at + width) % text.length;
    left -= width;
  }
}

function randomFasta(letters, n) {
  const line = Buffer.allocUnsafe(LINE_LENGTH);
  for (let left = n; left > 0;) {
    const width = Math.min(left, LINE_LENGTH);
    for (let i = 0; i < width; i++) line[i] = pick(letters);
    printBytes(line, width);
    left -= width;
  }
}

const n = parseInt(process.argv[2] ?? '1000');
print('>ONE Homo sapiens alu');
repeatFasta(ALU, 2 * n);
print('>TWO IUB ambiguity codes');
randomFasta(letters('acgtBDHKMNRSVWY', [0.27, 0.12, 0.12, 0.27, ...new Array(11).fill(0.02)]), 3 * n);
print('>THREE Homo sapiens frequency');
randomFasta(letters('acgt', [0.3029549426680, 0.1979883004921, 0.1975473066391, 0.3015094502008]), 5 * n);
flush();
