/* Permutations by swapping; the same as tests/bench/programs/permute.ten. */
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    long count;
    long *v;
} Permute;

static void swap(Permute *p, long i, long j) {
    long t = p->v[i];
    p->v[i] = p->v[j];
    p->v[j] = t;
}

static void permute(Permute *p, long n) {
    p->count++;
    if (n != 0) {
        long n1 = n - 1;
        permute(p, n1);
        for (long i = n1; i >= 0; i--) {
            swap(p, n1, i);
            permute(p, n1);
            swap(p, n1, i);
        }
    }
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 10;
    long result = 0;
    for (long i = 0; i < rounds; i++) {
        Permute p = {0, malloc(6 * sizeof(long))};
        for (long k = 0; k < 6; k++) p.v[k] = k;
        permute(&p, 6);
        result = p.count;
        free(p.v);
    }
    printf("%ld\n", result);
}
