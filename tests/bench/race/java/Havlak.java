// Havlak's loop recognition; the same as tests/bench/programs/havlak.ten.
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

public final class Havlak {
    private static final int UNVISITED = Integer.MAX_VALUE;
    private static final int MAX_NON_BACK_PREDS = 32768;

    private static final class BasicBlock {
        final int name;
        final List<BasicBlock> ins = new ArrayList<>();
        final List<BasicBlock> outs = new ArrayList<>();

        BasicBlock(int name) { this.name = name; }

        @Override public int hashCode() { return name; }
    }

    private static final class Edge {
        final BasicBlock from;
        final BasicBlock to;

        Edge(BasicBlock from, BasicBlock to) {
            this.from = from;
            this.to = to;
        }
    }

    private static final class Graph {
        final List<BasicBlock> blocks = new ArrayList<>();
        final List<Edge> edges = new ArrayList<>();
        BasicBlock start;

        BasicBlock node(int name) {
            if (name == blocks.size()) blocks.add(new BasicBlock(name));
            BasicBlock block = blocks.get(name);
            if (blocks.size() == 1) start = block;
            return block;
        }

        void connect(int fromName, int toName) {
            BasicBlock from = node(fromName);
            BasicBlock to = node(toName);
            from.outs.add(to);
            to.ins.add(from);
            edges.add(new Edge(from, to));
        }

        int straight(int start, int n) {
            for (int i = 0; i < n; i++) connect(start + i, start + i + 1);
            return start + n;
        }

        int diamond(int start) {
            connect(start, start + 1);
            connect(start, start + 2);
            connect(start + 1, start + 3);
            connect(start + 2, start + 3);
            return start + 3;
        }

        int baseLoop(int from) {
            int header = straight(from, 1);
            int diamond1 = diamond(header);
            int d11 = straight(diamond1, 1);
            int diamond2 = diamond(d11);
            int footer = straight(diamond2, 1);
            connect(diamond2, d11);
            connect(diamond1, header);
            connect(footer, from);
            return straight(footer, 1);
        }
    }

    private static final class Loop {
        final int counter;
        final BasicBlock header;
        final boolean isReducible;
        final Set<BasicBlock> blocks = new HashSet<>();
        final Set<Loop> children = new HashSet<>();
        Loop parent;
        boolean isRoot;
        int nestingLevel;
        int depthLevel;

        Loop(int counter, BasicBlock header, boolean isReducible) {
            this.counter = counter;
            this.header = header;
            this.isReducible = isReducible;
        }

        @Override public int hashCode() { return counter; }

        void setParent(Loop parent) {
            this.parent = parent;
            parent.children.add(this);
        }

        void setNestingLevel(int level) {
            nestingLevel = level;
            if (level == 0) isRoot = true;
        }
    }

    private static final class LoopForest {
        final List<Loop> loops = new ArrayList<>();

        LoopForest() {
            Loop root = new Loop(0, null, true);
            root.setNestingLevel(0);
            loops.add(root);
        }

        Loop add(BasicBlock header, boolean isReducible) {
            Loop loop = new Loop(loops.size(), header, isReducible);
            loop.blocks.add(header);
            loops.add(loop);
            return loop;
        }

        void calculateNestingLevel() {
            Loop root = loops.get(0);
            for (Loop each : loops) {
                if (!each.isRoot && each.parent == null) each.setParent(root);
            }
            calculateNesting(root, 0);
        }
    }

    private static void calculateNesting(Loop outer, int depth) {
        outer.depthLevel = depth;
        for (Loop inner : outer.children) {
            calculateNesting(inner, depth + 1);
            outer.setNestingLevel(Math.max(outer.nestingLevel, 1 + inner.nestingLevel));
        }
    }

    private static final class UnionFindNode {
        UnionFindNode parent;
        BasicBlock block;
        Loop found;
        int dfsNumber;

        void init(BasicBlock block, int dfsNumber) {
            this.parent = this;
            this.block = block;
            this.dfsNumber = dfsNumber;
            this.found = null;
        }

        UnionFindNode findSet() {
            List<UnionFindNode> path = new ArrayList<>();
            UnionFindNode node = this;
            while (node != node.parent) {
                if (node.parent != node.parent.parent) path.add(node);
                node = node.parent;
            }
            for (UnionFindNode each : path) each.parent = parent;
            return node;
        }
    }

    private enum Class { NON_HEADER, REDUCIBLE, SELF_LOOP, IRREDUCIBLE, DEAD }

    private static final class LoopFinder {
        private final Graph graph;
        private final LoopForest forest;
        private final List<List<Integer>> nonBackPreds = new ArrayList<>();
        private final List<List<Integer>> backPreds = new ArrayList<>();
        private final Map<BasicBlock, Integer> number = new HashMap<>();
        private final int[] header;
        private final Class[] kind;
        private final int[] last;
        private final UnionFindNode[] nodes;

        LoopFinder(Graph graph, LoopForest forest) {
            this.graph = graph;
            this.forest = forest;
            int size = graph.blocks.size();
            header = new int[size];
            kind = new Class[size];
            last = new int[size];
            nodes = new UnionFindNode[size];
            for (int i = 0; i < size; i++) {
                nonBackPreds.add(new ArrayList<>());
                backPreds.add(new ArrayList<>());
                kind[i] = Class.NON_HEADER;
                nodes[i] = new UnionFindNode();
            }
        }

        void findLoops() {
            if (graph.start == null) return;
            for (BasicBlock block : graph.blocks) number.put(block, UNVISITED);
            depthFirst(graph.start, 0);
            identifyEdges();
            for (int w = nodes.length - 1; w >= 0; w--) {
                BasicBlock header = nodes[w].block;
                if (header == null) continue;
                List<UnionFindNode> pool = new ArrayList<>();
                stepD(w, pool);
                List<UnionFindNode> work = new ArrayList<>(pool);
                if (!pool.isEmpty()) kind[w] = Class.REDUCIBLE;
                for (int at = 0; at < work.size(); at++) {
                    UnionFindNode x = work.get(at);
                    if (nonBackPreds.get(x.dfsNumber).size() > MAX_NON_BACK_PREDS) return;
                    stepE(w, pool, work, x);
                }
                if (!pool.isEmpty() || kind[w] == Class.SELF_LOOP) {
                    collapse(w, pool, forest.add(header, kind[w] != Class.IRREDUCIBLE));
                }
            }
        }

        private int depthFirst(BasicBlock block, int current) {
            nodes[current].init(block, current);
            number.put(block, current);
            int latest = current;
            for (BasicBlock target : block.outs) {
                if (number.get(target) == UNVISITED) latest = depthFirst(target, latest + 1);
            }
            last[current] = latest;
            return latest;
        }

        private boolean isAncestor(int w, int v) { return w <= v && v <= last[w]; }

        private void identifyEdges() {
            for (int w = 0; w < nodes.length; w++) {
                BasicBlock block = nodes[w].block;
                if (block == null) {
                    kind[w] = Class.DEAD;
                    continue;
                }
                for (BasicBlock from : block.ins) {
                    int v = number.get(from);
                    if (v == UNVISITED) continue;
                    if (isAncestor(w, v)) backPreds.get(w).add(v);
                    else addNonBackPred(w, v);
                }
            }
        }

        private void addNonBackPred(int w, int v) {
            List<Integer> preds = nonBackPreds.get(w);
            if (!preds.contains(v)) preds.add(v);
        }

        private void stepD(int w, List<UnionFindNode> pool) {
            for (int v : backPreds.get(w)) {
                if (v != w) pool.add(nodes[v].findSet());
                else kind[w] = Class.SELF_LOOP;
            }
        }

        private void stepE(int w, List<UnionFindNode> pool, List<UnionFindNode> work, UnionFindNode x) {
            List<Integer> preds = nonBackPreds.get(x.dfsNumber);
            for (int i = 0; i < preds.size(); i++) {
                UnionFindNode y = nodes[preds.get(i)].findSet();
                if (!isAncestor(w, y.dfsNumber)) {
                    kind[w] = Class.IRREDUCIBLE;
                    addNonBackPred(w, y.dfsNumber);
                } else if (y.dfsNumber != w && !pool.contains(y)) {
                    work.add(y);
                    pool.add(y);
                }
            }
        }

        private void collapse(int w, List<UnionFindNode> pool, Loop found) {
            nodes[w].found = found;
            for (UnionFindNode node : pool) {
                header[node.dfsNumber] = w;
                node.parent = nodes[w];
                if (node.found != null) node.found.setParent(found);
                else found.blocks.add(node.block);
            }
        }
    }

    private static void findLoops(Graph graph, LoopForest forest) {
        new LoopFinder(graph, forest).findLoops();
    }

    public static void main(String[] args) {
        int dummyLoops = args.length > 0 ? Integer.parseInt(args[0]) : 15;
        Graph graph = new Graph();
        LoopForest forest = new LoopForest();
        graph.node(0);
        graph.baseLoop(0);
        graph.node(1);
        graph.connect(0, 2);
        for (int i = 0; i < dummyLoops; i++) findLoops(graph, forest);

        int n = 2;
        for (int i = 0; i < 10; i++) {
            graph.node(n + 1);
            graph.connect(2, n + 1);
            n++;
            for (int j = 0; j < 10; j++) {
                int top = n;
                n = graph.straight(n, 1);
                for (int k = 0; k < 5; k++) n = graph.baseLoop(n);
                int bottom = graph.straight(n, 1);
                graph.connect(n, top);
                n = bottom;
            }
            graph.connect(n, 1);
        }

        findLoops(graph, forest);
        for (int i = 0; i < 50; i++) findLoops(graph, new LoopForest());
        forest.calculateNestingLevel();
        System.out.println(forest.loops.size() + " " + graph.blocks.size());
    }
}
