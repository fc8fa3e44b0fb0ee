// The random numbers that the are-we-fast-yet programs share.
'use strict';

class Random {
  constructor() { this.seed = 74755; }

  next() {
    this.seed = (this.seed * 1309 + 13849) & 65535;
    return this.seed;
  }
}

module.exports = { Random };
