// Binary trees; the same as tests/bench/programs/binary_trees.ten.

public final class BinaryTrees {
    private static final class Tree {
        final Tree left;
        final Tree right;

        Tree(Tree left, Tree right) {
            this.left = left;
            this.right = right;
        }

        long count() {
            return left == null ? 1 : 1 + left.count() + right.count();
        }
    }

    static Tree build(int depth) {
        return depth == 0 ? new Tree(null, null) : new Tree(build(depth - 1), build(depth - 1));
    }

    public static void main(String[] args) {
        int n = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        int repeats = args.length > 1 ? Integer.parseInt(args[1]) : 1;
        for (int i = 0; i < repeats; i++) run(n);
    }

    private static void run(int n) {
        int least = 4;
        int most = Math.max(least + 2, n);
        int stretch = most + 1;
        System.out.println("stretch tree of depth " + stretch + "\t check: " + build(stretch).count());
        Tree longLived = build(most);
        for (int depth = least; depth <= most; depth += 2) {
            int rounds = 1 << (most - depth + least);
            long check = 0;
            for (int i = 0; i < rounds; i++) {
                check += build(depth).count();
            }
            System.out.println(rounds + "\t trees of depth " + depth + "\t check: " + check);
        }
        System.out.println("long lived tree of depth " + most + "\t check: " + longLived.count());
    }
}
