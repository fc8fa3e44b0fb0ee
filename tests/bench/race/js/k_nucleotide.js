// Counts of the parts of a DNA sequence; the same as tests/bench/programs/k_nucleotide.ten.
'use strict';
const fs = require('fs');

function readSequence(name) {
  const lines = fs.readFileSync(0, 'latin1').split('\n');
  let at = lines.findIndex((line) => line.startsWith(name)) + 1;
  const parts = [];
  for (; at < lines.length && !lines[at].startsWith('>'); at++) parts.push(lines[at]);
  return parts.join('').toUpperCase();
}

function count(sequence, length) {
  const counts = new Map();
  for (let i = 0; i <= sequence.length - length; i++) {
    const part = sequence.slice(i, i + length);
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  return counts;
}

function printFrequencies(sequence, length) {
  const total = sequence.length - length + 1;
  const sorted = [...count(sequence, length)].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  for (const [part, n] of sorted) console.log(`${part} ${(n * 100 / total).toFixed(3)}`);
  console.log();
}

const sequence = readSequence('>THREE');
printFrequencies(sequence, 1);
printFrequencies(sequence, 2);
for (const part of ['GGT', 'GGTA', 'GGTATT', 'GGTATTTTAATT', 'GGTATTTTAATTTATAGT']) {
  console.log(`${count(sequence, part.length).get(part) ?? 0}\t${part}`);
}
