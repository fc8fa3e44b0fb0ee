/* Counts of the parts of a DNA sequence, in a hash table with open addressing; the same as
   tests/bench/programs/k_nucleotide.ten. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *part;
    uint64_t hash;
    long count;
} Entry;

typedef struct {
    Entry *entries;
    size_t capacity, used;
    int length;
} Table;

static uint64_t hash_of(const char *part, int length) {
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < length; i++) hash = (hash ^ (unsigned char)part[i]) * 1099511628211u;
    return hash;
}

static Entry *find(const Table *table, const char *part, uint64_t hash) {
    for (size_t at = hash & (table->capacity - 1);; at = (at + 1) & (table->capacity - 1)) {
        Entry *entry = &table->entries[at];
        if (entry->part == NULL) return entry;
        if (entry->hash == hash && memcmp(entry->part, part, table->length) == 0) return entry;
    }
}

static void grow(Table *table) {
    Entry *old = table->entries;
    size_t capacity = table->capacity;
    table->capacity *= 2;
    table->entries = calloc(table->capacity, sizeof(Entry));
    for (size_t i = 0; i < capacity; i++) {
        if (old[i].part != NULL) *find(table, old[i].part, old[i].hash) = old[i];
    }
    free(old);
}

static Table count(const char *sequence, long size, int length) {
    Table table = {calloc(16, sizeof(Entry)), 16, 0, length};
    for (long i = 0; i <= size - length; i++) {
        uint64_t hash = hash_of(sequence + i, length);
        Entry *entry = find(&table, sequence + i, hash);
        if (entry->part == NULL) {
            *entry = (Entry){sequence + i, hash, 0};
            table.used++;
        }
        entry->count++;
        if (table.used * 8 > table.capacity * 7) grow(&table);
    }
    return table;
}

static int part_length;

static int by_count(const void *a, const void *b) {
    const Entry *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return memcmp(x->part, y->part, part_length);
}

static void print_frequencies(const char *sequence, long size, int length) {
    Table table = count(sequence, size, length);
    Entry *sorted = malloc(table.used * sizeof(Entry));
    size_t filled = 0;
    for (size_t i = 0; i < table.capacity; i++) {
        if (table.entries[i].part != NULL) sorted[filled++] = table.entries[i];
    }
    part_length = length;
    qsort(sorted, filled, sizeof(Entry), by_count);
    double total = size - length + 1;
    for (size_t i = 0; i < filled; i++) printf("%.*s %.3f\n", length, sorted[i].part, sorted[i].count * 100.0 / total);
    putchar('\n');
    free(sorted);
    free(table.entries);
}

static char *read_sequence(const char *name, long *size) {
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL && strncmp(line, name, strlen(name)) != 0) {
    }
    size_t capacity = 1 << 16, filled = 0;
    char *sequence = malloc(capacity);
    while (fgets(line, sizeof line, stdin) != NULL && line[0] != '>') {
        size_t length = strcspn(line, "\n");
        if (filled + length > capacity) sequence = realloc(sequence, capacity *= 2);
        for (size_t i = 0; i < length; i++) sequence[filled++] = toupper((unsigned char)line[i]);
    }
    *size = filled;
    return sequence;
}

int main(void) {
    static const char *parts[] = {"GGT", "GGTA", "GGTATT", "GGTATTTTAATT", "GGTATTTTAATTTATAGT"};
    long size;
    char *sequence = read_sequence(">THREE", &size);
    print_frequencies(sequence, size, 1);
    print_frequencies(sequence, size, 2);
    for (int i = 0; i < 5; i++) {
        int length = strlen(parts[i]);
        Table table = count(sequence, size, length);
        printf("%ld\t%s\n", find(&table, parts[i], hash_of(parts[i], length))->count, parts[i]);
        free(table.entries);
    }
    free(sequence);
}
