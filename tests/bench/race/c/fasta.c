/* Random DNA in FASTA format; the same as tests/bench/programs/fasta.ten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LENGTH = 60, MODULUS = 139968 };

static const char *ALU = "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGG"
                         "GAGGCCGAGGCGGGCGGATCACCTGAGGTCAGGAGTTCGAGA"
                         "CCAGCCTGGCCAACATGGTGAAACCCCGTCTCTACTAAAAAT"
                         "ACAAAAATTAGCCGGGCGTGGTGGCGCGCGCCTGTAATCCCA"
                         "GCTACTCGGGAGGCTGAGGCAGGAGAATCGCTTGAACCCGGG"
                         "AGGCGGAGGTTGCAGTGAGCCGAGATCGCGCCACTGCACTCC"
                         "AGCCTGGGCGACAGAGCGAGACTCCGTCTCAAAAA";

typedef struct {
    char code;
    double probability;
} Letter;

static int seed = 42;

static double next_random(void) {
    seed = (seed * 3877 + 29573) % MODULUS;
    return seed / (double)MODULUS;
}

static void sum_up(Letter *letters, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) letters[i].probability = sum += letters[i].probability;
}

static char pick(const Letter *letters, int count) {
    double r = next_random();
    for (int i = 0; i < count; i++) {
        if (r < letters[i].probability) return letters[i].code;
    }
    return letters[count - 1].code;
}

static void repeat_fasta(const char *text, long n) {
    size_t length = strlen(text);
    char *twice = malloc(length + LINE_LENGTH);
    memcpy(twice, text, length);
    memcpy(twice + length, text, LINE_LENGTH);
    size_t at = 0;
    for (long left = n; left > 0;) {
        size_t width = left < LINE_LENGTH ? left : LINE_LENGTH;
        fwrite(twice + at, 1, width, stdout);
        putchar('\n');
        at = (at + width) % length;
        left -= width;
    }
    free(twice);
}

static void random_fasta(Letter *letters, int count, long n) {
    char line[LINE_LENGTH + 1];
    sum_up(letters, count);
    for (long left = n; left > 0;) {
        int width = left < LINE_LENGTH ? left : LINE_LENGTH;
        for (int i = 0; i < width; i++) line[i] = pick(letters, count);
        line[width] = '\n';
        fwrite(line, 1, width + 1, stdout);
        left -= width;
    }
}

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 1000;
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    Letter ambiguous[] = {{'a', 0.27}, {'c', 0.12}, {'g', 0.12}, {'t', 0.27}, {'B', 0.02},
                          {'D', 0.02}, {'H', 0.02}, {'K', 0.02}, {'M', 0.02}, {'N', 0.02},
                          {'R', 0.02}, {'S', 0.02}, {'V', 0.02}, {'W', 0.02}, {'Y', 0.02}};
    Letter sapiens[] = {
        {'a', 0.3029549426680}, {'c', 0.1979883004921}, {'g', 0.1975473066391}, {'t', 0.3015094502008}};
    puts(">ONE Homo sapiens alu");
    repeat_fasta(ALU, 2 * n);
    puts(">TWO IUB ambiguity codes");
    random_fasta(ambiguous, 15, 3 * n);
    puts(">THREE Homo sapiens frequency");
    random_fasta(sapiens, 4, 5 * n);
}
