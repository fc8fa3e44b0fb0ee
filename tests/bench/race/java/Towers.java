// Towers of Hanoi with linked disks; the same as tests/bench/programs/towers.ten.

public final class Towers {
    private static final class Disk {
        final int size;
        Disk next;

        Disk(int size) { this.size = size; }
    }

    private final Disk[] piles = new Disk[3];
    private int moves = 0;

    private void push(Disk disk, int pile) {
        Disk top = piles[pile];
        if (top != null && disk.size >= top.size) {
            throw new IllegalStateException("cannot put a big disk on a smaller one");
        }
        disk.next = top;
        piles[pile] = disk;
    }

    private Disk pop(int pile) {
        Disk top = piles[pile];
        if (top == null) throw new IllegalStateException("attempting to remove a disk from an empty pile");
        piles[pile] = top.next;
        top.next = null;
        return top;
    }

    private void shift(int disks, int from, int to) {
        if (disks == 1) {
            shiftTop(from, to);
        } else {
            int other = 3 - from - to;
            shift(disks - 1, from, other);
            shiftTop(from, to);
            shift(disks - 1, other, to);
        }
    }

    private void shiftTop(int from, int to) {
        push(pop(from), to);
        moves++;
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        int result = 0;
        for (int i = 0; i < rounds; i++) {
            Towers towers = new Towers();
            for (int size = 13; size >= 0; size--) towers.push(new Disk(size), 0);
            towers.shift(13, 0, 1);
            result = towers.moves;
        }
        System.out.println(result);
    }
}
