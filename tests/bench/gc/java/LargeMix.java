// The same as programs/large_mix.ten.

public final class LargeMix {
    private static final class Note {
        final long number;
        final Note next;

        Note(long number, Note next) {
            this.number = number;
            this.next = next;
        }
    }

    private static long state = 88172645463325252L;

    private static int below(long bound) {
        state ^= state << 13;
        state ^= state >>> 7;
        state ^= state << 17;
        return (int) ((state >>> 1) % bound);
    }

    private static int size() {
        int least = 65536 << below(7);
        return least + below(least / 2);
    }

    private static Note notes(int count) {
        Note chain = null;
        for (int i = 0; i < count; i++) chain = new Note(i, chain);
        return chain;
    }

    public static void main(String[] args) {
        int places = Integer.parseInt(args[0]);
        int replacements = Integer.parseInt(args[1]);
        byte[][] buffers = new byte[places][0];
        long[][] numbers = new long[places][0];
        Note[][] tables = new Note[places][0];
        long bytes = 0;
        long sum = 0;
        for (int step = 0; step < replacements; step++) {
            int size = size();
            bytes += size;
            int place = below(places);
            switch (below(3)) {
                case 0 -> {
                    byte[] buffer = new byte[size];
                    buffer[step % size] = 1;
                    sum += buffers[place].length;
                    buffers[place] = buffer;
                }
                case 1 -> {
                    long[] made = new long[size / 8];
                    made[step % made.length] = step;
                    sum += numbers[place].length;
                    numbers[place] = made;
                }
                default -> {
                    Note[] table = new Note[size / 4];
                    for (int i = 0; i < 64; i++) table[below(table.length)] = notes(i % 4);
                    sum += tables[place].length;
                    tables[place] = table;
                }
            }
            Note note = notes(100);
            if (note != null) sum += note.number;
        }
        System.out.println(replacements + " blocks, " + bytes + " bytes, checksum " + sum);
    }
}
