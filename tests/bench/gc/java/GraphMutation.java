// The same as programs/graph_mutation.ten.

import java.util.ArrayList;
import java.util.List;

public final class GraphMutation {
    private static final class Edge {
        final Node to;
        final long weight;

        Edge(Node to, long weight) {
            this.to = to;
            this.weight = weight;
        }
    }

    private static final class Node {
        final long id;
        final List<Edge> edges = new ArrayList<>();

        Node(long id) {
            this.id = id;
        }
    }

    private static long state = 88172645463325252L;

    private static int below(long bound) {
        state ^= state << 13;
        state ^= state >>> 7;
        state ^= state << 17;
        return (int) ((state >>> 1) % bound);
    }

    private static List<Node> build(int size, int degree) {
        List<Node> nodes = new ArrayList<>();
        for (int i = 0; i < size; i++) nodes.add(new Node(i));
        for (Node node : nodes) {
            for (int i = 0; i < degree; i++) node.edges.add(new Edge(nodes.get(below(size)), below(100)));
        }
        return nodes;
    }

    private static long redraw(List<Node> nodes, int degree, long changes) {
        int size = nodes.size();
        long sum = 0;
        for (long step = 0; step < changes; step++) {
            Node node = nodes.get(below(size));
            int slot = below(degree);
            Edge old = node.edges.get(slot);
            sum = (sum * 31 + old.to.id + old.weight) % 1000000007;
            node.edges.set(slot, new Edge(nodes.get(below(size)), step % 100));
        }
        return sum;
    }

    public static void main(String[] args) {
        int size = Integer.parseInt(args[0]);
        int degree = Integer.parseInt(args[1]);
        long changes = Long.parseLong(args[2]);
        List<Node> nodes = build(size, degree);
        System.out.println(size + " nodes, " + changes + " changes, checksum " + redraw(nodes, degree, changes));
    }
}
