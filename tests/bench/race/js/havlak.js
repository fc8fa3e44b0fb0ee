// Havlak's loop recognition; the same as tests/bench/programs/havlak.ten.
'use strict';

const UNVISITED = 2147483647;
const MAX_NON_BACK_PREDS = 32768;

class BasicBlock {
  constructor(name) {
    this.name = name;
    this.ins = [];
    this.outs = [];
  }
}

class Edge {
  constructor(from, to) {
    this.from = from;
    this.to = to;
  }
}

class Graph {
  constructor() {
    this.blocks = [];
    this.edges = [];
    this.start = null;
  }

  node(name) {
    if (name === this.blocks.length) this.blocks.push(new BasicBlock(name));
    const block = this.blocks[name];
    if (this.blocks.length === 1) this.start = block;
    return block;
  }

  connect(fromName, toName) {
    const from = this.node(fromName);
    const to = this.node(toName);
    from.outs.push(to);
    to.ins.push(from);
    this.edges.push(new Edge(from, to));
  }

  straight(start, n) {
    for (let i = 0; i < n; i++) this.connect(start + i, start + i + 1);
    return start + n;
  }

  diamond(start) {
    this.connect(start, start + 1);
    this.connect(start, start + 2);
    this.connect(start + 1, start + 3);
    this.connect(start + 2, start + 3);
    return start + 3;
  }

  baseLoop(from) {
    const header = this.straight(from, 1);
    const diamond1 = this.diamond(header);
    const d11 = this.straight(diamond1, 1);
    const diamond2 = this.diamond(d11);
    const footer = this.straight(diamond2, 1);
    this.connect(diamond2, d11);
    this.connect(diamond1, header);
    this.connect(footer, from);
    return this.straight(footer, 1);
  }
}

class Loop {
  constructor(counter, header, isReducible) {
    this.counter = counter;
    this.header = header;
    this.isReducible = isReducible;
    this.blocks = new Set();
    this.children = new Set();
    this.parent = null;
    this.isRoot = false;
    this.nestingLevel = 0;
    this.depthLevel = 0;
  }

  setParent(parent) {
    this.parent = parent;
    parent.children.add(this);
  }

  setNestingLevel(level) {
    this.nestingLevel = level;
    if (level === 0) this.isRoot = true;
  }
}

class LoopForest {
  constructor() {
    const root = new Loop(0, null, true);
    root.setNestingLevel(0);
    this.loops = [root];
  }

  add(header, isReducible) {
    const loop = new Loop(this.loops.length, header, isReducible);
    loop.blocks.add(header);
    this.loops.push(loop);
    return loop;
  }

  calculateNestingLevel() {
    const root = this.loops[0];
    for (const each of this.loops) {
      if (!each.isRoot && each.parent === null) each.setParent(root);
    }
    calculateNesting(root, 0);
  }
}

function calculateNesting(outer, depth) {
  outer.depthLevel = depth;
  for (const inner of outer.children) {
    calculateNesting(inner, depth + 1);
    outer.setNestingLevel(Math.max(outer.nestingLevel, 1 + inner.nestingLevel));
  }
}

class UnionFindNode {
  constructor() {
    this.parent = null;
    this.block = null;
    this.found = null;
    this.dfsNumber = 0;
  }

  init(block, dfsNumber) {
    this.parent = this;
    this.block = block;
    this.dfsNumber = dfsNumber;
    this.found = null;
  }

  findSet() {
    const path = [];
    let node = this;
    while (node !== node.parent) {
      if (node.parent !== node.parent.parent) path.push(node);
      node = node.parent;
    }
    for (const each of path) each.parent = this.parent;
    return node;
  }
}

const NON_HEADER = 0;
const REDUCIBLE = 1;
const SELF_LOOP = 2;
const IRREDUCIBLE = 3;
const DEAD = 4;

class LoopFinder {
  constructor(graph, forest) {
    const size = graph.blocks.length;
    this.graph = graph;
    this.forest = forest;
    this.nonBackPreds = Array.from({ length: size }, () => []);
    this.backPreds = Array.from({ length: size }, () => []);
    this.number = new Map();
    this.header = new Array(size).fill(0);
    this.class = new Array(size).fill(NON_HEADER);
    this.last = new Array(size).fill(0);
    this.nodes = Array.from({ length: size }, () => new UnionFindNode());
  }

  findLoops() {
    if (this.graph.start === null) return;
    for (const block of this.graph.blocks) this.number.set(block, UNVISITED);
    this.depthFirst(this.graph.start, 0);
    this.identifyEdges();
    for (let w = this.nodes.length - 1; w >= 0; w--) {
      const header = this.nodes[w].block;
      if (header === null) continue;
      const pool = [];
      this.stepD(w, pool);
      const work = pool.slice();
      if (pool.length > 0) this.class[w] = REDUCIBLE;
      for (let at = 0; at < work.length; at++) {
        const x = work[at];
        if (this.nonBackPreds[x.dfsNumber].length > MAX_NON_BACK_PREDS) return;
        this.stepE(w, pool, work, x);
      }
      if (pool.length > 0 || this.class[w] === SELF_LOOP) {
        this.collapse(w, pool, this.forest.add(header, this.class[w] !== IRREDUCIBLE));
      }
    }
  }

  depthFirst(block, current) {
    this.nodes[current].init(block, current);
    this.number.set(block, current);
    let last = current;
    for (const target of block.outs) {
      if (this.number.get(target) === UNVISITED) last = this.depthFirst(target, last + 1);
    }
    this.last[current] = last;
    return last;
  }

  isAncestor(w, v) { return w <= v && v <= this.last[w]; }

  identifyEdges() {
    for (let w = 0; w < this.nodes.length; w++) {
      const block = this.nodes[w].block;
      if (block === null) {
        this.class[w] = DEAD;
        continue;
      }
      for (const from of block.ins) {
        const v = this.number.get(from);
        if (v === UNVISITED) continue;
        if (this.isAncestor(w, v)) this.backPreds[w].push(v);
        else this.addNonBackPred(w, v);
      }
    }
  }

  addNonBackPred(w, v) {
    const preds = this.nonBackPreds[w];
    if (!preds.includes(v)) preds.push(v);
  }

  stepD(w, pool) {
    for (const v of this.backPreds[w]) {
      if (v !== w) pool.push(this.nodes[v].findSet());
      else this.class[w] = SELF_LOOP;
    }
  }

  stepE(w, pool, work, x) {
    const preds = this.nonBackPreds[x.dfsNumber];
    for (let i = 0; i < preds.length; i++) {
      const y = this.nodes[preds[i]].findSet();
      if (!this.isAncestor(w, y.dfsNumber)) {
        this.class[w] = IRREDUCIBLE;
        this.addNonBackPred(w, y.dfsNumber);
      } else if (y.dfsNumber !== w && !pool.includes(y)) {
        work.push(y);
        pool.push(y);
      }
    }
  }

  collapse(w, pool, found) {
    this.nodes[w].found = found;
    for (const node of pool) {
      this.header[node.dfsNumber] = w;
      node.parent = this.nodes[w];
      if (node.found !== null) node.found.setParent(found);
      else found.blocks.add(node.block);
    }
  }
}

function findLoops(graph, forest) {
  new LoopFinder(graph, forest).findLoops();
}

function havlak(dummyLoops, rounds, outer, middle, inner) {
  const graph = new Graph();
  const forest = new LoopForest();
  graph.node(0);
  graph.baseLoop(0);
  graph.node(1);
  graph.connect(0, 2);
  for (let i = 0; i < dummyLoops; i++) findLoops(graph, forest);

  let n = 2;
  for (let i = 0; i < outer; i++) {
    graph.node(n + 1);
    graph.connect(2, n + 1);
    n++;
    for (let j = 0; j < middle; j++) {
      const top = n;
      n = graph.straight(n, 1);
      for (let k = 0; k < inner; k++) n = graph.baseLoop(n);
      const bottom = graph.straight(n, 1);
      graph.connect(n, top);
      n = bottom;
    }
    graph.connect(n, 1);
  }

  findLoops(graph, forest);
  for (let i = 0; i < rounds; i++) findLoops(graph, new LoopForest());
  forest.calculateNestingLevel();
  console.log(`${forest.loops.length} ${graph.blocks.length}`);
}

havlak(parseInt(process.argv[2] ?? '15'), 50, 10, 10, 5);
