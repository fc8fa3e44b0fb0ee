/* Takeuchi's function on linked lists; the same as tests/bench/programs/list.ten. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Element {
    long value;
    struct Element *next;
} Element;

static Element *make_list(long length) {
    if (length == 0) return NULL;
    Element *element = malloc(sizeof *element);
    element->value = length;
    element->next = make_list(length - 1);
    return element;
}

static void destroy(Element *list) {
    while (list != NULL) {
        Element *next = list->next;
        free(list);
        list = next;
    }
}

static bool is_shorter_than(const Element *x, const Element *y) {
    while (y != NULL) {
        if (x == NULL) return true;
        x = x->next;
        y = y->next;
    }
    return false;
}

static Element *tail(Element *x, Element *y, Element *z) {
    if (is_shorter_than(y, x)) {
        return tail(tail(x->next, y, z), tail(y->next, z, x), tail(z->next, x, y));
    }
    return z;
}

static long length(const Element *list) {
    long n = 0;
    for (; list != NULL; list = list->next) n++;
    return n;
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 10;
    long result = 0;
    for (long i = 0; i < rounds; i++) {
        Element *x = make_list(15), *y = make_list(10), *z = make_list(6);
        result = length(tail(x, y, z));
        destroy(x);
        destroy(y);
        destroy(z);
    }
    printf("%ld\n", result);
}
