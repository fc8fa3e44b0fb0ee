// The spectral norm; the same as tests/bench/programs/spectral_norm.ten.
'use strict';

function a(i, j) {
  return 1 / ((((i + j) * (i + j + 1)) >>> 1) + i + 1);
}

function multiply(v, result) {
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (let j = 0; j < v.length; j++) sum += a(i, j) * v[j];
    result[i] = sum;
  }
}

function multiplyTransposed(v, result) {
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (let j = 0; j < v.length; j++) sum += a(j, i) * v[j];
    result[i] = sum;
  }
}

function multiplyBoth(v, result, between) {
  multiply(v, between);
  multiplyTransposed(between, result);
}

function spectralNorm(n) {
  const u = new Float64Array(n).fill(1);
  const v = new Float64Array(n);
  const between = new Float64Array(n);
  for (let i = 0; i < 10; i++) {
    multiplyBoth(u, v, between);
    multiplyBoth(v, u, between);
  }
  let vbv = 0;
  let vv = 0;
  for (let i = 0; i < n; i++) {
    vbv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  return Math.sqrt(vbv / vv);
}

console.log(spectralNorm(parseInt(process.argv[2] ?? '100')).toFixed(9));
