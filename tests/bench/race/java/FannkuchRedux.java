// Flips of permutations; the same as tests/bench/programs/fannkuch_redux.ten.

public final class FannkuchRedux {
    public static void main(String[] args) {
        int n = args.length > 0 ? Integer.parseInt(args[0]) : 9;
        int[] result = fannkuch(n);
        System.out.println(result[0] + "\nPfannkuchen(" + n + ") = " + result[1]);
    }

    private static int[] fannkuch(int n) {
        int[] first = new int[n];
        int[] work = new int[n];
        int[] count = new int[n];
        for (int i = 0; i < n; i++) first[i] = i;
        int checksum = 0;
        int most = 0;
        int rounds = 0;
        int r = n;
        while (true) {
            for (; r > 1; r--) count[r - 1] = r;
            System.arraycopy(first, 0, work, 0, n);
            int flips = 0;
            for (int k = work[0]; k != 0; k = work[0]) {
                for (int low = 0, high = k; low < high; low++, high--) {
                    int swapped = work[low];
                    work[low] = work[high];
                    work[high] = swapped;
                }
                flips++;
            }
            if (flips > most) most = flips;
            checksum += (rounds & 1) == 0 ? flips : -flips;
            while (true) {
                if (r == n) return new int[] {checksum, most};
                int head = first[0];
                for (int i = 0; i < r; i++) first[i] = first[i + 1];
                first[r] = head;
                if (--count[r] > 0) break;
                r++;
            }
            rounds++;
        }
    }
}
