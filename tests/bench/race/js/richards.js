// Richards; the same as tests/bench/programs/richards.ten.
'use strict';

const IDLER = 0;
const WORKER = 1;
const HANDLER_A = 2;
const HANDLER_B = 3;
const DEVICE_A = 4;
const DEVICE_B = 5;
const TASK_COUNT = 6;

const DEVICE = 0;
const WORK = 1;

const DATA_SIZE = 4;

class Packet {
  constructor(link, identity, kind) {
    this.link = link;
    this.identity = identity;
    this.kind = kind;
    this.datum = 0;
    this.data = [0, 0, 0, 0];
  }

  appendTo(queue) {
    this.link = null;
    if (queue === null) return this;
    let last = queue;
    while (last.link !== null) last = last.link;
    last.link = this;
    return queue;
  }
}

class Task {
  constructor(link, identity, priority, input, waiting, work) {
    this.link = link;
    this.identity = identity;
    this.priority = priority;
    this.input = input;
    this.work = work;
    this.packetPending = input !== null;
    this.waiting = waiting;
    this.holding = false;
  }

  isHeldOrWaiting() {
    return this.holding || (!this.packetPending && this.waiting);
  }

  addInput(packet, current) {
    if (this.input === null) {
      this.input = packet;
      this.packetPending = true;
      if (this.priority > current.priority) return this;
    } else {
      this.input = packet.appendTo(this.input);
    }
    return current;
  }

  run() {
    let message = null;
    if (this.packetPending && this.waiting && !this.holding) {
      message = this.input;
      this.input = message.link;
      this.packetPending = this.input !== null;
      this.waiting = false;
    }
    return this.work(message);
  }
}

class Scheduler {
  constructor() {
    this.queueCount = 0;
    this.holdCount = 0;
    this.tasks = new Array(TASK_COUNT).fill(null);
    this.first = null;
    this.current = null;
    this.currentIdentity = 0;
  }

  start() {
    this.addIdler(IDLER, 0, null);
    this.addWorker(WORKER, 1000, packets(2, WORKER, WORK));
    this.addHandler(HANDLER_A, 2000, packets(3, DEVICE_A, DEVICE));
    this.addHandler(HANDLER_B, 3000, packets(3, DEVICE_B, DEVICE));
    this.addDevice(DEVICE_A, 4000, null);
    this.addDevice(DEVICE_B, 5000, null);
    this.schedule();
    return this.queueCount === 23246 && this.holdCount === 9297;
  }

  schedule() {
    this.current = this.first;
    while (this.current !== null) {
      const task = this.current;
      if (task.isHeldOrWaiting()) {
        this.current = task.link;
      } else {
        this.currentIdentity = task.identity;
        this.current = task.run();
      }
    }
  }

  addIdler(identity, priority, queue) {
    const data = { control: 1, count: 10000 };
    this.add(identity, priority, queue, false, () => {
      data.count--;
      if (data.count === 0) return this.hold();
      if ((data.control & 1) === 0) {
        data.control >>= 1;
        return this.release(DEVICE_A);
      }
      data.control = (data.control >> 1) ^ 53256;
      return this.release(DEVICE_B);
    });
  }

  addWorker(identity, priority, queue) {
    const data = { destination: HANDLER_A, count: 0 };
    this.add(identity, priority, queue, true, (packet) => {
      if (packet === null) return this.wait();
      data.destination = data.destination === HANDLER_A ? HANDLER_B : HANDLER_A;
      packet.identity = data.destination;
      packet.datum = 0;
      for (let i = 0; i < DATA_SIZE; i++) {
        data.count++;
        if (data.count > 26) data.count = 1;
        packet.data[i] = 65 + data.count - 1;
      }
      return this.queue(packet);
    });
  }

  addHandler(identity, priority, queue) {
    const data = { work: null, device: null };
    this.add(identity, priority, queue, true, (work) => {
      if (work !== null) {
        if (work.kind === WORK) data.work = work.appendTo(data.work);
        else data.device = work.appendTo(data.device);
      }
      const packet = data.work;
      if (packet === null) return this.wait();
      const count = packet.datum;
      if (count >= DATA_SIZE) {
        data.work = packet.link;
        return this.queue(packet);
      }
      const device = data.device;
      if (device === null) return this.wait();
      data.device = device.link;
      device.datum = packet.data[count];
      packet.datum = count + 1;
      return this.queue(device);
    });
  }

  addDevice(identity, priority, queue) {
    const data = { pending: null };
    this.add(identity, priority, queue, true, (packet) => {
      if (packet !== null) {
        data.pending = packet;
        return this.hold();
      }
      const pending = data.pending;
      if (pending === null) return this.wait();
      data.pending = null;
      return this.queue(pending);
    });
  }

  add(identity, priority, queue, waiting, work) {
    const task = new Task(this.first, identity, priority, queue, waiting, work);
    this.first = task;
    this.tasks[identity] = task;
  }

  hold() {
    this.holdCount++;
    this.current.holding = true;
    return this.current.link;
  }

  wait() {
    this.current.waiting = true;
    return this.current;
  }

  queue(packet) {
    const task = this.find(packet.identity);
    this.queueCount++;
    packet.link = null;
    packet.identity = this.currentIdentity;
    return task.addInput(packet, this.current);
  }

  release(identity) {
    const task = this.find(identity);
    task.holding = false;
    return task.priority > this.current.priority ? task : this.current;
  }

  find(identity) {
    const task = this.tasks[identity];
    if (task === null) throw new Error(`no task ${identity}`);
    return task;
  }
}

function packets(count, identity, kind) {
  let queue = null;
  for (let i = 0; i < count; i++) queue = new Packet(queue, identity, kind);
  return queue;
}

const rounds = parseInt(process.argv[2] ?? '10');
let result = true;
for (let i = 0; i < rounds; i++) result = new Scheduler().start() && result;
console.log(result);
