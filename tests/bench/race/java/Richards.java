// Richards; the same as tests/bench/programs/richards.ten.

public final class Richards {
    private static final int IDLER = 0;
    private static final int WORKER = 1;
    private static final int HANDLER_A = 2;
    private static final int HANDLER_B = 3;
    private static final int DEVICE_A = 4;
    private static final int DEVICE_B = 5;
    private static final int TASK_COUNT = 6;
    private static final int DATA_SIZE = 4;

    private enum Kind { DEVICE, WORK }

    private interface Work {
        Task run(Packet packet);
    }

    private static final class Packet {
        Packet link;
        int identity;
        final Kind kind;
        int datum = 0;
        final int[] data = new int[DATA_SIZE];

        Packet(Packet link, int identity, Kind kind) {
            this.link = link;
            this.identity = identity;
            this.kind = kind;
        }

        Packet appendTo(Packet queue) {
            link = null;
            if (queue == null) return this;
            Packet last = queue;
            while (last.link != null) last = last.link;
            last.link = this;
            return queue;
        }
    }

    private static final class Task {
        final Task link;
        final int identity;
        final int priority;
        Packet input;
        final Work work;
        boolean packetPending;
        boolean waiting;
        boolean holding = false;

        Task(Task link, int identity, int priority, Packet input, boolean waiting, Work work) {
            this.link = link;
            this.identity = identity;
            this.priority = priority;
            this.input = input;
            this.work = work;
            this.packetPending = input != null;
            this.waiting = waiting;
        }

        boolean isHeldOrWaiting() {
            return holding || (!packetPending && waiting);
        }

        Task addInput(Packet packet, Task current) {
            if (input == null) {
                input = packet;
                packetPending = true;
                if (priority > current.priority) return this;
            } else {
                input = packet.appendTo(input);
            }
            return current;
        }

        Task run() {
            Packet message = null;
            if (packetPending && waiting && !holding) {
                message = input;
                input = message.link;
                packetPending = input != null;
                waiting = false;
            }
            return work.run(message);
        }
    }

    private static final class DeviceData {
        Packet pending = null;
    }

    private static final class HandlerData {
        Packet work = null;
        Packet device = null;
    }

    private static final class IdlerData {
        int control = 1;
        int count = 10000;
    }

    private static final class WorkerData {
        int destination = HANDLER_A;
        int count = 0;
    }

    private int queueCount = 0;
    private int holdCount = 0;
    private final Task[] tasks = new Task[TASK_COUNT];
    private Task first = null;
    private Task current = null;
    private int currentIdentity = 0;

    private boolean start() {
        addIdler(IDLER, 0, null);
        addWorker(WORKER, 1000, packets(2, WORKER, Kind.WORK));
        addHandler(HANDLER_A, 2000, packets(3, DEVICE_A, Kind.DEVICE));
        addHandler(HANDLER_B, 3000, packets(3, DEVICE_B, Kind.DEVICE));
        addDevice(DEVICE_A, 4000, null);
        addDevice(DEVICE_B, 5000, null);
        schedule();
        return queueCount == 23246 && holdCount == 9297;
    }

    private void schedule() {
        current = first;
        while (current != null) {
            Task task = current;
            if (task.isHeldOrWaiting()) {
                current = task.link;
            } else {
                currentIdentity = task.identity;
                current = task.run();
            }
        }
    }

    private void addIdler(int identity, int priority, Packet queue) {
        IdlerData data = new IdlerData();
        add(identity, priority, queue, false, packet -> {
            data.count--;
            if (data.count == 0) return hold();
            if ((data.control & 1) == 0) {
                data.control /= 2;
                return release(DEVICE_A);
            }
            data.control = (data.control / 2) ^ 53256;
            return release(DEVICE_B);
        });
    }

    private void addWorker(int identity, int priority, Packet queue) {
        WorkerData data = new WorkerData();
        add(identity, priority, queue, true, packet -> {
            if (packet == null) return await();
            data.destination = data.destination == HANDLER_A ? HANDLER_B : HANDLER_A;
            packet.identity = data.destination;
            packet.datum = 0;
            for (int i = 0; i < DATA_SIZE; i++) {
                data.count++;
                if (data.count > 26) data.count = 1;
                packet.data[i] = 65 + data.count - 1;
            }
            return queue(packet);
        });
    }

    private void addHandler(int identity, int priority, Packet queue) {
        HandlerData data = new HandlerData();
        add(identity, priority, queue, true, work -> {
            if (work != null) {
                if (work.kind == Kind.WORK) data.work = work.appendTo(data.work);
                else data.device = work.appendTo(data.device);
            }
            Packet packet = data.work;
            if (packet == null) return await();
            int count = packet.datum;
            if (count >= DATA_SIZE) {
                data.work = packet.link;
                return queue(packet);
            }
            Packet device = data.device;
            if (device == null) return await();
            data.device = device.link;
            device.datum = packet.data[count];
            packet.datum = count + 1;
            return queue(device);
        });
    }

    private void addDevice(int identity, int priority, Packet queue) {
        DeviceData data = new DeviceData();
        add(identity, priority, queue, true, packet -> {
            if (packet != null) {
                data.pending = packet;
                return hold();
            }
            Packet pending = data.pending;
            if (pending == null) return await();
            data.pending = null;
            return queue(pending);
        });
    }

    private void add(int identity, int priority, Packet queue, boolean waiting, Work work) {
        Task task = new Task(first, identity, priority, queue, waiting, work);
        first = task;
        tasks[identity] = task;
    }

    private Task hold() {
        holdCount++;
        current.holding = true;
        return current.link;
    }

    private Task await() {
        current.waiting = true;
        return current;
    }

    private Task queue(Packet packet) {
        Task task = find(packet.identity);
        queueCount++;
        packet.link = null;
        packet.identity = currentIdentity;
        return task.addInput(packet, current);
    }

    private Task release(int identity) {
        Task task = find(identity);
        task.holding = false;
        return task.priority > current.priority ? task : current;
    }

    private Task find(int identity) {
        Task task = tasks[identity];
        if (task == null) throw new IllegalStateException("no task " + identity);
        return task;
    }

    private static Packet packets(int count, int identity, Kind kind) {
        Packet queue = null;
        for (int i = 0; i < count; i++) queue = new Packet(queue, identity, kind);
        return queue;
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        boolean result = true;
        for (int i = 0; i < rounds; i++) result = new Richards().start() && result;
        System.out.println(result);
    }
}
