// GCBench; the same as tests/bench/programs/gc_bench.ten.

public final class GcBench {
    private static final class Node {
        Node left;
        Node right;
        int i;
        int j;

        Node(Node left, Node right) {
            this.left = left;
            this.right = right;
        }

        void populate(int depth) {
            if (depth > 0) {
                left = new Node(null, null);
                right = new Node(null, null);
                left.populate(depth - 1);
                right.populate(depth - 1);
            }
        }

        int count() {
            int n = 1;
            if (left != null) n += left.count();
            if (right != null) n += right.count();
            return n;
        }
    }

    private static Node make(int depth) {
        return depth == 0 ? new Node(null, null) : new Node(make(depth - 1), make(depth - 1));
    }

    private static int treeSize(int depth) {
        return (1 << depth + 1) - 1;
    }

    public static void main(String[] args) {
        int longLivedDepth = args.length > 0 ? Integer.parseInt(args[0]) : 16;
        int arraySize = 500000;
        int stretchDepth = longLivedDepth + 2;
        int leastDepth = 4;

        System.out.println("stretch tree of depth " + stretchDepth + ": " + make(stretchDepth).count() + " nodes");

        Node longLived = new Node(null, null);
        longLived.populate(longLivedDepth);
        double[] array = new double[arraySize];
        for (int i = 1; i < arraySize / 2; i++) array[i] = 1.0 / i;

        for (int depth = leastDepth; depth <= longLivedDepth; depth += 2) {
            int rounds = 2 * treeSize(stretchDepth) / treeSize(depth);
            int nodes = 0;
            for (int i = 0; i < rounds; i++) {
                Node topDown = new Node(null, null);
                topDown.populate(depth);
                nodes += topDown.count();
            }
            for (int i = 0; i < rounds; i++) nodes += make(depth).count();
            System.out.println(2 * rounds + " trees of depth " + depth + ": " + nodes + " nodes");
        }
        System.out.println("long-lived tree of depth " + longLivedDepth + ": " + longLived.count()
            + " nodes, array[1000] = " + array[1000]);
    }
}
