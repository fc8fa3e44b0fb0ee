// Eight queens; the same as tests/bench/programs/queens.ten.

import java.util.Arrays;

public final class Queens {
    private final boolean[] freeRows = new boolean[8];
    private final boolean[] freeMaxs = new boolean[16];
    private final boolean[] freeMins = new boolean[16];
    private final int[] rows = new int[8];

    private Queens() {
        Arrays.fill(freeRows, true);
        Arrays.fill(freeMaxs, true);
        Arrays.fill(freeMins, true);
        Arrays.fill(rows, -1);
    }

    private boolean place(int column) {
        for (int row = 0; row < 8; row++) {
            if (isFree(row, column)) {
                rows[row] = column;
                set(row, column, false);
                if (column == 7 || place(column + 1)) return true;
                set(row, column, true);
            }
        }
        return false;
    }

    private boolean isFree(int row, int column) {
        return freeRows[row] && freeMaxs[column + row] && freeMins[column - row + 7];
    }

    private void set(int row, int column, boolean free) {
        freeRows[row] = free;
        freeMaxs[column + row] = free;
        freeMins[column - row + 7] = free;
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        boolean result = true;
        for (int i = 0; i < rounds * 10; i++) result = result && new Queens().place(0);
        System.out.println(result);
    }
}
