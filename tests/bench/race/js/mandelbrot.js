// The Mandelbrot set, its checksum; the same as tests/bench/programs/mandelbrot.ten.
'use strict';

function mandelbrot(size) {
  let sum = 0;
  let byteAcc = 0;
  let bitNum = 0;
  for (let y = 0; y < size; y++) {
    const ci = 2 * y / size - 1;
    for (let x = 0; x < size; x++) {
      const cr = 2 * x / size - 1.5;
      let zrzr = 0;
      let zi = 0;
      let zizi = 0;
      let escape = 0;
      for (let z = 0; z < 50; z++) {
        const zr = zrzr - zizi + cr;
        zi = 2 * zr * zi + ci;
        zrzr = zr * zr;
        zizi = zi * zi;
        if (zrzr + zizi > 4) {
          escape = 1;
          break;
        }
      }
      byteAcc = (byteAcc << 1) + escape;
      bitNum++;
      if (bitNum === 8) {
        sum ^= byteAcc;
        byteAcc = 0;
        bitNum = 0;
      } else if (x === size - 1) {
        byteAcc <<= 8 - bitNum;
        sum ^= byteAcc;
        byteAcc = 0;
        bitNum = 0;
      }
    }
  }
  return sum;
}

console.log(mandelbrot(parseInt(process.argv[2] ?? '500')));
