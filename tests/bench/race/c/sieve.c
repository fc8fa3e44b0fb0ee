/* Sieve of Eratosthenes; the same as tests/bench/programs/sieve.ten. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long sieve(bool *flags, long size) {
    long primes = 0;
    for (long i = 2; i <= size; i++) {
        if (flags[i - 1]) {
            primes++;
            for (long k = i + i; k <= size; k += i) flags[k - 1] = false;
        }
    }
    return primes;
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 10;
    long result = 0;
    for (long i = 0; i < rounds; i++) {
        bool *flags = malloc(5000);
        memset(flags, true, 5000);
        result = sieve(flags, 5000);
        free(flags);
    }
    printf("%ld\n", result);
}
