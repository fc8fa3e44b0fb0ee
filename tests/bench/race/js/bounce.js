// Bouncing balls; the same as tests/bench/programs/bounce.ten.
'use strict';
const { Random } = require('./som_random');

class Ball {
  constructor(random) {
    this.x = random.next() % 500;
    this.y = random.next() % 500;
    this.xVel = random.next() % 300 - 150;
    this.yVel = random.next() % 300 - 150;
  }

  bounce() {
    const xLimit = 500;
    const yLimit = 500;
    let bounced = false;
    this.x += this.xVel;
    this.y += this.yVel;
    if (this.x > xLimit) { this.x = xLimit; this.xVel = -Math.abs(this.xVel); bounced = true; }
    if (this.x < 0) { this.x = 0; this.xVel = Math.abs(this.xVel); bounced = true; }
    if (this.y > yLimit) { this.y = yLimit; this.yVel = -Math.abs(this.yVel); bounced = true; }
    if (this.y < 0) { this.y = 0; this.yVel = Math.abs(this.yVel); bounced = true; }
    return bounced;
  }
}

function bounces() {
  const random = new Random();
  const balls = [];
  for (let i = 0; i < 100; i++) balls.push(new Ball(random));
  let count = 0;
  for (let i = 0; i < 50; i++) {
    for (const ball of balls) {
      if (ball.bounce()) count++;
    }
  }
  return count;
}

const rounds = parseInt(process.argv[2] ?? '10');
let result = 0;
for (let i = 0; i < rounds; i++) result = bounces();
console.log(result);
