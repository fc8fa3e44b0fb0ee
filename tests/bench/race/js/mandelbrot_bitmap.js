// The Mandelbrot set as a portable bitmap; the same as tests/bench/programs/mandelbrot_bitmap.ten.
'use strict';
const fs = require('fs');

function isInside(cr, ci) {
  let zr = 0;
  let zi = 0;
  let zr2 = 0;
  let zi2 = 0;
  for (let i = 0; i < 50; i++) {
    zi = 2 * zr * zi + ci;
    zr = zr2 - zi2 + cr;
    zr2 = zr * zr;
    zi2 = zi * zi;
    if (zr2 + zi2 > 4) return false;
  }
  return true;
}

const size = parseInt(process.argv[2] ?? '200');
const width = Math.ceil(size / 8);
const bitmap = Buffer.alloc(width * size);
for (let y = 0; y < size; y++) {
  const ci = 2 * y / size - 1;
  for (let x = 0; x < size; x++) {
    if (isInside(2 * x / size - 1.5, ci)) bitmap[y * width + (x >> 3)] |= 128 >> (x & 7);
  }
}
fs.writeFileSync(1, Buffer.concat([Buffer.from(`P4\n${size} ${size}\n`), bitmap]));
