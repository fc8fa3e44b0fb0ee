// A tree of arrays; the same as tests/bench/programs/storage.ten.

public final class Storage {
    private static final class Node {
        final Node[] children;

        Node(Node[] children) { this.children = children; }
    }

    private final SomRandom random = new SomRandom();
    private int count = 0;

    private Node build(int depth) {
        count++;
        if (depth == 1) return new Node(new Node[random.next() % 10 + 1]);
        Node[] children = new Node[4];
        for (int i = 0; i < 4; i++) children[i] = build(depth - 1);
        return new Node(children);
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        int result = 0;
        for (int i = 0; i < rounds; i++) {
            Storage storage = new Storage();
            storage.build(7);
            result = storage.count;
        }
        System.out.println(result);
    }
}
