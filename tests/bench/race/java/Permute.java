// Permutations by swapping; the same as tests/bench/programs/permute.ten.

public final class Permute {
    private int count = 0;
    private final int[] v = {0, 1, 2, 3, 4, 5};

    private void permute(int n) {
        count++;
        if (n != 0) {
            int n1 = n - 1;
            permute(n1);
            for (int i = n1; i >= 0; i--) {
                swap(n1, i);
                permute(n1);
                swap(n1, i);
            }
        }
    }

    private void swap(int i, int j) {
        int t = v[i];
        v[i] = v[j];
        v[j] = t;
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        int result = 0;
        for (int i = 0; i < rounds; i++) {
            Permute p = new Permute();
            p.permute(6);
            result = p.count;
        }
        System.out.println(result);
    }
}
