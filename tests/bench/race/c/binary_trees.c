/* Binary trees; the same as tests/bench/programs/binary_trees.ten. */
#include <stdio.h>
#include <stdlib.h>

typedef struct Tree {
    struct Tree *left, *right;
} Tree;

static Tree *build(int depth) {
    Tree *tree = malloc(sizeof *tree);
    if (depth == 0) {
        tree->left = tree->right = NULL;
    } else {
        tree->left = build(depth - 1);
        tree->right = build(depth - 1);
    }
    return tree;
}

static long count(const Tree *tree) {
    return tree->left == NULL ? 1 : 1 + count(tree->left) + count(tree->right);
}

static void destroy(Tree *tree) {
    if (tree->left != NULL) {
        destroy(tree->left);
        destroy(tree->right);
    }
    free(tree);
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 10;
    int least = 4;
    int most = least + 2 > n ? least + 2 : n;
    int stretch = most + 1;
    Tree *tree = build(stretch);
    printf("stretch tree of depth %d\t check: %ld\n", stretch, count(tree));
    destroy(tree);
    Tree *long_lived = build(most);
    for (int depth = least; depth <= most; depth += 2) {
        long rounds = 1L << (most - depth + least);
        long check = 0;
        for (long i = 0; i < rounds; i++) {
            tree = build(depth);
            check += count(tree);
            destroy(tree);
        }
        printf("%ld\t trees of depth %d\t check: %ld\n", rounds, depth, check);
    }
    printf("long lived tree of depth %d\t check: %ld\n", most, count(long_lived));
    destroy(long_lived);
}
