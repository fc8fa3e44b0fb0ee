/* Eight queens; the same as tests/bench/programs/queens.ten. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    bool *free_rows, *free_maxs, *free_mins;
    long *rows;
} Queens;

static bool *filled(size_t n) {
    bool *list = malloc(n);
    memset(list, true, n);
    return list;
}

static bool is_free(const Queens *q, long row, long column) {
    return q->free_rows[row] && q->free_maxs[column + row] && q->free_mins[column - row + 7];
}

static void set(Queens *q, long row, long column, bool free) {
    q->free_rows[row] = free;
    q->free_maxs[column + row] = free;
    q->free_mins[column - row + 7] = free;
}

static bool place(Queens *q, long column) {
    for (long row = 0; row < 8; row++) {
        if (is_free(q, row, column)) {
            q->rows[row] = column;
            set(q, row, column, false);
            if (column == 7 || place(q, column + 1)) return true;
            set(q, row, column, true);
        }
    }
    return false;
}

static bool solve(void) {
    Queens q = {filled(8), filled(16), filled(16), malloc(8 * sizeof(long))};
    for (int i = 0; i < 8; i++) q.rows[i] = -1;
    bool found = place(&q, 0);
    free(q.free_rows);
    free(q.free_maxs);
    free(q.free_mins);
    free(q.rows);
    return found;
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 10;
    bool result = true;
    for (long i = 0; i < rounds * 10; i++) result = result && solve();
    puts(result ? "true" : "false");
}
