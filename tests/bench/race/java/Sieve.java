// Sieve of Eratosthenes; the same as tests/bench/programs/sieve.ten.

import java.util.Arrays;

public final class Sieve {
    private static int sieve(boolean[] flags, int size) {
        int primes = 0;
        for (int i = 2; i <= size; i++) {
            if (flags[i - 1]) {
                primes++;
                for (int k = i + i; k <= size; k += i) flags[k - 1] = false;
            }
        }
        return primes;
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        int result = 0;
        for (int i = 0; i < rounds; i++) {
            boolean[] flags = new boolean[5000];
            Arrays.fill(flags, true);
            result = sieve(flags, 5000);
        }
        System.out.println(result);
    }
}
