/* Flips of permutations; the same as tests/bench/programs/fannkuch_redux.ten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fannkuch(int n, int *most) {
    int *first = malloc(n * sizeof(int)), *work = malloc(n * sizeof(int)), *count = malloc(n * sizeof(int));
    int checksum = 0, r = n;
    *most = 0;
    for (int i = 0; i < n; i++) first[i] = i;
    for (int rounds = 0;; rounds++) {
        for (; r > 1; r--) count[r - 1] = r;
        memcpy(work, first, n * sizeof(int));
        int flips = 0;
        for (int k; (k = work[0]) != 0; flips++) {
            for (int low = 0, high = k; low < high; low++, high--) {
                int swapped = work[low];
                work[low] = work[high];
                work[high] = swapped;
            }
        }
        if (flips > *most) *most = flips;
        checksum += rounds % 2 == 0 ? flips : -flips;
        for (;;) {
            if (r == n) {
                free(first);
                free(work);
                free(count);
                return checksum;
            }
            int head = first[0];
            for (int i = 0; i < r; i++) first[i] = first[i + 1];
            first[r] = head;
            if (--count[r] > 0) break;
            r++;
        }
    }
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 9;
    int most;
    int checksum = fannkuch(n, &most);
    printf("%d\nPfannkuchen(%d) = %d\n", checksum, n, most);
}
