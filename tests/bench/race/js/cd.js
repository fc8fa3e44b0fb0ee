// Collision detection between aircraft; the same as tests/bench/programs/cd.ten.
'use strict';
const { RedBlackTree } = require('./red_black');

const LOW = 0;
const HIGH = 1000;
const HIGH_Z = 10;
const PROXIMITY_RADIUS = 1;
const VOXEL_SIZE = 2;

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

class Vec2 {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }

  plus(other) { return new Vec2(this.x + other.x, this.y + other.y); }

  minus(other) { return new Vec2(this.x - other.x, this.y - other.y); }

  compare(other) { return compare(this.x, other.x) || compare(this.y, other.y); }
}

class Vec3 {
  constructor(x, y, z) {
    this.x = x;
    this.y = y;
    this.z = z;
  }

  plus(other) { return new Vec3(this.x + other.x, this.y + other.y, this.z + other.z); }

  minus(other) { return new Vec3(this.x - other.x, this.y - other.y, this.z - other.z); }

  times(factor) { return new Vec3(this.x * factor, this.y * factor, this.z * factor); }

  dot(other) { return this.x * other.x + this.y * other.y + this.z * other.z; }

  squaredMagnitude() { return this.dot(this); }

  magnitude() { return Math.sqrt(this.squaredMagnitude()); }
}

class CallSign {
  constructor(value) { this.value = value; }

  compare(other) { return compare(this.value, other.value); }
}

class Aircraft {
  constructor(callsign, position) {
    this.callsign = callsign;
    this.position = position;
  }
}

class Collision {
  constructor(aircraftA, aircraftB, position) {
    this.aircraftA = aircraftA;
    this.aircraftB = aircraftB;
    this.position = position;
  }
}

class Motion {
  constructor(callsign, start, end) {
    this.callsign = callsign;
    this.start = start;
    this.end = end;
  }

  delta() { return this.end.minus(this.start); }

  findIntersection(other) {
    const radius = PROXIMITY_RADIUS;
    const delta1 = this.delta();
    const delta2 = other.delta();
    const a = delta2.minus(delta1).squaredMagnitude();
    if (a !== 0) {
      const b = 2 * this.start.minus(other.start).dot(delta1.minus(delta2));
      const c = -radius * radius + other.start.minus(this.start).squaredMagnitude();
      const discriminant = b * b - 4 * a * c;
      if (discriminant < 0) return null;
      const v1 = (-b - Math.sqrt(discriminant)) / (2 * a);
      const v2 = (-b + Math.sqrt(discriminant)) / (2 * a);
      if (v1 <= v2 && ((v1 <= 1 && 1 <= v2) || (v1 <= 0 && 0 <= v2) || (0 <= v1 && v2 <= 1))) {
        const v = v1 <= 0 ? 0 : v1;
        const at1 = this.start.plus(delta1.times(v));
        const at2 = other.start.plus(delta2.times(v));
        const at = at1.plus(at2).times(0.5);
        if (at.x >= LOW && at.x <= HIGH && at.y >= LOW && at.y <= HIGH && at.z >= LOW && at.z <= HIGH_Z) return at;
      }
      return null;
    }
    if (other.start.minus(this.start).magnitude() <= radius) return this.start.plus(other.start).times(0.5);
    return null;
  }
}

class Detector {
  constructor() { this.positions = new RedBlackTree(); }

  handleFrame(frame) {
    const motions = [];
    const seen = new RedBlackTree();
    for (const aircraft of frame) {
      const before = this.positions.put(aircraft.callsign, aircraft.position);
      seen.put(aircraft.callsign, true);
      motions.push(new Motion(aircraft.callsign, before ?? aircraft.position, aircraft.position));
    }

    const gone = [];
    this.positions.each((callsign) => {
      if (seen.get(callsign) === null) gone.push(callsign);
    });
    for (const callsign of gone) this.positions.remove(callsign);

    const collisions = [];
    for (const near of reduce(motions)) {
      for (let i = 0; i < near.length; i++) {
        const motion1 = near[i];
        for (let j = i + 1; j < near.length; j++) {
          const motion2 = near[j];
          const position = motion1.findIntersection(motion2);
          if (position !== null) collisions.push(new Collision(motion1.callsign, motion2.callsign, position));
        }
      }
    }
    return collisions;
  }
}

function reduce(motions) {
  const map = new RedBlackTree();
  for (const motion of motions) spread(map, new RedBlackTree(), voxelOf(motion.start), motion);
  const near = [];
  map.each((_, motions) => {
    if (motions.length > 1) near.push(motions);
  });
  return near;
}

const HORIZONTAL = new Vec2(VOXEL_SIZE, 0);
const VERTICAL = new Vec2(0, VOXEL_SIZE);

function voxelOf(position) {
  const x = VOXEL_SIZE * Math.trunc(position.x / VOXEL_SIZE);
  const y = VOXEL_SIZE * Math.trunc(position.y / VOXEL_SIZE);
  return new Vec2(position.x < 0 ? x - VOXEL_SIZE : x, position.y < 0 ? y - VOXEL_SIZE : y);
}

function spread(map, seen, voxel, motion) {
  if (!isInVoxel(voxel, motion) || seen.put(voxel, true) !== null) return;
  const motions = map.get(voxel);
  if (motions === null) map.put(voxel, [motion]);
  else motions.push(motion);
  spread(map, seen, voxel.minus(HORIZONTAL), motion);
  spread(map, seen, voxel.plus(HORIZONTAL), motion);
  spread(map, seen, voxel.minus(VERTICAL), motion);
  spread(map, seen, voxel.plus(VERTICAL), motion);
  spread(map, seen, voxel.minus(HORIZONTAL).minus(VERTICAL), motion);
  spread(map, seen, voxel.minus(HORIZONTAL).plus(VERTICAL), motion);
  spread(map, seen, voxel.plus(HORIZONTAL).minus(VERTICAL), motion);
  spread(map, seen, voxel.plus(HORIZONTAL).plus(VERTICAL), motion);
}

function isInVoxel(voxel, motion) {
  if (voxel.x > HIGH || voxel.x < LOW || voxel.y > HIGH || voxel.y < LOW) return false;
  const r = PROXIMITY_RADIUS / 2;
  const x0 = motion.start.x;
  const y0 = motion.start.y;
  const xv = motion.end.x - x0;
  const yv = motion.end.y - y0;
  let lowX = (voxel.x - r - x0) / xv;
  let highX = (voxel.x + VOXEL_SIZE + r - x0) / xv;
  if (xv < 0) [lowX, highX] = [highX, lowX];
  let lowY = (voxel.y - r - y0) / yv;
  let highY = (voxel.y + VOXEL_SIZE + r - y0) / yv;
  if (yv < 0) [lowY, highY] = [highY, lowY];
  const meetsX = (xv === 0 && voxel.x <= x0 + r && x0 - r <= voxel.x + VOXEL_SIZE) || meetsFrame(lowX, highX);
  const meetsY = (yv === 0 && voxel.y <= y0 + r && y0 - r <= voxel.y + VOXEL_SIZE) || meetsFrame(lowY, highY);
  return meetsX && meetsY && (xv === 0 || yv === 0
    || (lowY <= highX && highX <= highY)
    || (lowY <= lowX && lowX <= highY)
    || (lowX <= lowY && highY <= highX));
}

function meetsFrame(low, high) {
  return (low <= 1 && 1 <= high) || (low <= 0 && 0 <= high) || (0 <= low && high <= 1);
}

class Simulator {
  constructor(count) {
    this.callsigns = [];
    for (let i = 0; i < count; i++) this.callsigns.push(new CallSign(`foo${i}`));
  }

  simulate(time) {
    const frame = [];
    for (let i = 0; i < this.callsigns.length; i += 2) {
      const y = i * 3;
      frame.push(new Aircraft(this.callsigns[i], new Vec3(time, Math.cos(time) * 2 + y, 10)));
      frame.push(new Aircraft(this.callsigns[i + 1], new Vec3(time, Math.sin(time) * 2 + y, 10)));
    }
    return frame;
  }
}

const simulator = new Simulator(parseInt(process.argv[2] ?? '100'));
const detector = new Detector();
let collisions = 0;
for (let i = 0; i < 200; i++) collisions += detector.handleFrame(simulator.simulate(i / 10)).length;
console.log(collisions);
