// Patterns counted and replaced; the same as tests/bench/programs/regex_redux.ten.
'use strict';
const fs = require('fs');

const variants = [
  'agggtaaa|tttaccct',
  '[cgt]gggtaaa|tttaccc[acg]',
  'a[act]ggtaaa|tttacc[agt]t',
  'ag[act]gtaaa|tttac[agt]ct',
  'agg[act]taaa|ttta[agt]cct',
  'aggg[acg]aaa|ttt[cgt]ccct',
  'agggt[cgt]aa|tt[acg]accct',
  'agggta[cgt]a|t[acg]taccct',
  'agggtaa[cgt]|[acg]ttaccct',
];
const replacements = [
  [/tHa[Nt]/g, '<4>'],
  [/aND|caN|Ha[DS]|WaS/g, '<3>'],
  [/a[NSt]|BY/g, '<2>'],
  [/<[^>]*>/g, '|'],
  [/\|[^|][^|]*\|/g, '-'],
];

const input = fs.readFileSync(0, 'latin1');
const sequence = input.replace(/>.*\n|\n/g, '');
for (const variant of variants) {
  const found = sequence.match(new RegExp(variant, 'g'));
  console.log(`${variant} ${found === null ? 0 : found.length}`);
}
let rewritten = sequence;
for (const [pattern, text] of replacements) rewritten = rewritten.replace(pattern, text);
console.log(`\n${input.length}\n${sequence.length}\n${rewritten.length}`);
