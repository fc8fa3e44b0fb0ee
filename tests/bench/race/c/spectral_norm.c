/* The spectral norm; the same as tests/bench/programs/spectral_norm.ten. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double a(long i, long j) {
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

static void multiply(long n, const double *v, double *result) {
    for (long i = 0; i < n; i++) {
        double sum = 0;
        for (long j = 0; j < n; j++) sum += a(i, j) * v[j];
        result[i] = sum;
    }
}

static void multiply_transposed(long n, const double *v, double *result) {
    for (long i = 0; i < n; i++) {
        double sum = 0;
        for (long j = 0; j < n; j++) sum += a(j, i) * v[j];
        result[i] = sum;
    }
}

static void multiply_both(long n, const double *v, double *result, double *between) {
    multiply(n, v, between);
    multiply_transposed(n, between, result);
}

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 100;
    double *u = malloc(n * sizeof(double)), *v = calloc(n, sizeof(double)), *between = calloc(n, sizeof(double));
    for (long i = 0; i < n; i++) u[i] = 1;
    for (int i = 0; i < 10; i++) {
        multiply_both(n, u, v, between);
        multiply_both(n, v, u, between);
    }
    double vbv = 0, vv = 0;
    for (long i = 0; i < n; i++) {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    printf("%.9f\n", sqrt(vbv / vv));
    free(u);
    free(v);
    free(between);
}
