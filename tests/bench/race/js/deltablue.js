// DeltaBlue; the same as tests/bench/programs/deltablue.ten.
'use strict';

const REQUIRED = 1;
const PREFERRED = 3;
const STRONG_DEFAULT = 4;
const DEFAULT = 5;
const ABSOLUTE_WEAKEST = 7;

const UNSATISFIED = 0;
const FORWARD = 1;
const BACKWARD = 2;

class Variable {
  constructor(value) {
    this.value = value;
    this.constraints = [];
    this.determinedBy = null;
    this.walkStrength = ABSOLUTE_WEAKEST;
    this.stay = true;
    this.mark = 0;
  }

  remove(constraint) {
    this.constraints = this.constraints.filter((c) => c !== constraint);
    if (this.determinedBy === constraint) this.determinedBy = null;
  }

  eachConsumer(f) {
    for (const c of this.constraints) {
      if (c !== this.determinedBy && c.isSatisfied()) f(c);
    }
  }
}

class Constraint {
  constructor(strength) {
    this.strength = strength;
    this.direction = UNSATISFIED;
  }

  addTo(planner) {
    this.eachVariable((v) => v.constraints.push(this));
    planner.incrementalAdd(this);
    return this;
  }

  destroy(planner) {
    if (this.isSatisfied()) planner.incrementalRemove(this);
    this.removeFromGraph();
  }

  removeFromGraph() {
    this.eachVariable((v) => v.remove(this));
    this.direction = UNSATISFIED;
  }

  isSatisfied() { return this.direction !== UNSATISFIED; }

  isInput() { return false; }

  inputsKnown(mark) { return !this.anyInput((v) => v.mark !== mark && !v.stay && v.determinedBy !== null); }

  towards(target, mark, direction) {
    return target.mark !== mark && this.strength < target.walkStrength ? direction : UNSATISFIED;
  }

  satisfy(mark, planner) {
    this.chooseMethod(mark);
    if (!this.isSatisfied()) {
      if (this.strength === REQUIRED) throw new Error('could not satisfy a required constraint');
      return null;
    }
    this.eachInput((v) => { v.mark = mark; });
    const out = this.output();
    const overridden = out.determinedBy;
    if (overridden !== null) overridden.direction = UNSATISFIED;
    out.determinedBy = this;
    if (!planner.addPropagate(this, mark)) throw new Error('cycle encountered');
    out.mark = mark;
    return overridden;
  }
}

class Unary extends Constraint {
  constructor(v, strength) {
    super(strength);
    this.v = v;
  }

  eachVariable(f) { f(this.v); }

  eachInput() {}

  anyInput() { return false; }

  output() { return this.v; }

  chooseMethod(mark) { this.direction = this.towards(this.v, mark, FORWARD); }

  execute() {}

  recalculate() {
    this.v.walkStrength = this.strength;
    this.v.stay = !this.isInput();
    if (this.v.stay) this.execute();
  }
}

class Stay extends Unary {}

class Edit extends Unary {
  isInput() { return true; }
}

class Binary extends Constraint {
  constructor(v1, v2, strength) {
    super(strength);
    this.v1 = v1;
    this.v2 = v2;
  }

  source() { return this.direction === FORWARD ? this.v1 : this.v2; }

  target() { return this.direction === FORWARD ? this.v2 : this.v1; }

  output() { return this.target(); }

  chooseMethod(mark) {
    const { v1, v2 } = this;
    if (v1.mark === mark) this.direction = this.towards(v2, mark, FORWARD);
    else if (v2.mark === mark) this.direction = this.towards(v1, mark, BACKWARD);
    else if (v1.walkStrength > v2.walkStrength) this.direction = this.towards(v1, mark, BACKWARD);
    else this.direction = this.towards(v2, mark, FORWARD);
  }
}

class Equal extends Binary {
  eachVariable(f) {
    f(this.v1);
    f(this.v2);
  }

  eachInput(f) { f(this.source()); }

  anyInput(holds) { return holds(this.source()); }

  execute() { this.target().value = this.source().value; }

  recalculate() {
    const source = this.source();
    const out = this.output();
    out.walkStrength = Math.max(this.strength, source.walkStrength);
    out.stay = source.stay;
    if (out.stay) this.execute();
  }
}

class Scale extends Binary {
  constructor(v1, v2, scale, offset, strength) {
    super(v1, v2, strength);
    this.scale = scale;
    this.offset = offset;
  }

  eachVariable(f) {
    f(this.v1);
    f(this.v2);
    f(this.scale);
    f(this.offset);
  }

  eachInput(f) {
    f(this.source());
    f(this.scale);
    f(this.offset);
  }

  anyInput(holds) { return holds(this.source()) || holds(this.scale) || holds(this.offset); }

  execute() {
    if (this.direction === FORWARD) this.v2.value = this.v1.value * this.scale.value + this.offset.value;
    else this.v1.value = Math.trunc((this.v2.value - this.offset.value) / this.scale.value);
  }

  recalculate() {
    const source = this.source();
    const out = this.output();
    out.walkStrength = Math.max(this.strength, source.walkStrength);
    out.stay = source.stay && this.scale.stay && this.offset.stay;
    if (out.stay) this.execute();
  }
}

class Planner {
  constructor() { this.mark = 1; }

  newMark() { return ++this.mark; }

  incrementalAdd(constraint) {
    const mark = this.newMark();
    let overridden = constraint.satisfy(mark, this);
    while (overridden !== null) overridden = overridden.satisfy(mark, this);
  }

  incrementalRemove(constraint) {
    const out = constraint.output();
    constraint.direction = UNSATISFIED;
    constraint.removeFromGraph();
    for (const unsatisfied of this.removePropagateFrom(out)) this.incrementalAdd(unsatisfied);
  }

  extractPlan(constraints) { return this.makePlan(constraints.filter((c) => c.isInput() && c.isSatisfied())); }

  makePlan(todo) {
    const mark = this.newMark();
    const plan = [];
    for (let i = 0; i < todo.length; i++) {
      const c = todo[i];
      const out = c.output();
      if (out.mark !== mark && c.inputsKnown(mark)) {
        plan.push(c);
        out.mark = mark;
        out.eachConsumer((consumer) => todo.push(consumer));
      }
    }
    return plan;
  }

  addPropagate(constraint, mark) {
    const todo = [constraint];
    for (let i = 0; i < todo.length; i++) {
      const c = todo[i];
      const out = c.output();
      if (out.mark === mark) {
        this.incrementalRemove(constraint);
        return false;
      }
      c.recalculate();
      out.eachConsumer((consumer) => todo.push(consumer));
    }
    return true;
  }

  removePropagateFrom(out) {
    out.determinedBy = null;
    out.walkStrength = ABSOLUTE_WEAKEST;
    out.stay = true;
    const unsatisfied = [];
    const todo = [out];
    for (let i = 0; i < todo.length; i++) {
      const v = todo[i];
      for (const c of v.constraints) {
        if (!c.isSatisfied()) unsatisfied.push(c);
      }
      v.eachConsumer((c) => {
        c.recalculate();
        todo.push(c.output());
      });
    }
    return unsatisfied.sort((a, b) => a.strength - b.strength);
  }

  change(variable, value) {
    const edit = new Edit(variable, PREFERRED).addTo(this);
    const plan = this.extractPlan([edit]);
    for (let i = 0; i < 10; i++) {
      variable.value = value;
      execute(plan);
    }
    edit.destroy(this);
  }
}

function execute(plan) {
  for (const c of plan) c.execute();
}

function assert(holds) {
  if (!holds) throw new Error('wrong value');
}

function chainTest(n) {
  const planner = new Planner();
  const variables = Array.from({ length: n + 1 }, () => new Variable(0));
  for (let i = 0; i < n; i++) new Equal(variables[i], variables[i + 1], REQUIRED).addTo(planner);
  new Stay(variables[n], STRONG_DEFAULT).addTo(planner);
  const edit = new Edit(variables[0], PREFERRED).addTo(planner);
  const plan = planner.extractPlan([edit]);
  for (let i = 0; i < 100; i++) {
    variables[0].value = i;
    execute(plan);
    assert(variables[n].value === i);
  }
  edit.destroy(planner);
}

function projectionTest(n) {
  const planner = new Planner();
  const scale = new Variable(10);
  const offset = new Variable(1000);
  const sources = [];
  const targets = [];
  for (let i = 1; i <= n; i++) {
    const source = new Variable(i);
    const target = new Variable(i);
    sources.push(source);
    targets.push(target);
    new Stay(source, DEFAULT).addTo(planner);
    new Scale(source, target, scale, offset, REQUIRED).addTo(planner);
  }
  const source = sources[n - 1];
  const target = targets[n - 1];

  planner.change(source, 17);
  assert(target.value === 1170);
  planner.change(target, 1050);
  assert(source.value === 5);
  planner.change(scale, 5);
  for (let i = 0; i < n - 1; i++) assert(targets[i].value === (i + 1) * 5 + 1000);
  planner.change(offset, 2000);
  for (let i = 0; i < n - 1; i++) assert(targets[i].value === (i + 1) * 5 + 2000);
}

const n = parseInt(process.argv[2] ?? '1000');
chainTest(n);
projectionTest(n);
console.log(true);
