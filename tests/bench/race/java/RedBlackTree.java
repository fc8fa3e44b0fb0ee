// The ordered map of the collision detector; the same as tests/bench/programs/red_black.ten.
import java.util.function.BiConsumer;

final class RedBlackTree<K extends Comparable<K>, V> {
    private static final class Node<K, V> {
        final K key;
        V value;
        Node<K, V> parent;
        Node<K, V> left;
        Node<K, V> right;
        boolean red = true;

        Node(K key, V value, Node<K, V> parent) {
            this.key = key;
            this.value = value;
            this.parent = parent;
        }

        Node<K, V> successor() {
            if (right != null) return right.least();
            Node<K, V> child = this;
            for (Node<K, V> parent = child.parent; parent != null; parent = child.parent) {
                if (parent.left == child) return parent;
                child = parent;
            }
            return null;
        }

        Node<K, V> least() {
            Node<K, V> node = this;
            while (node.left != null) node = node.left;
            return node;
        }
    }

    private Node<K, V> root;

    private static boolean isBlack(Node<?, ?> node) { return node == null || !node.red; }

    V get(K key) {
        Node<K, V> node = find(key);
        return node == null ? null : node.value;
    }

    void each(BiConsumer<K, V> f) {
        if (root == null) return;
        for (Node<K, V> node = root.least(); node != null; node = node.successor()) f.accept(node.key, node.value);
    }

    V put(K key, V value) {
        Node<K, V> parent = null;
        Node<K, V> at = root;
        int order = 0;
        while (at != null) {
            order = key.compareTo(at.key);
            if (order == 0) {
                V old = at.value;
                at.value = value;
                return old;
            }
            parent = at;
            at = order < 0 ? at.left : at.right;
        }
        Node<K, V> node = new Node<>(key, value, parent);
        if (parent == null) root = node;
        else if (order < 0) parent.left = node;
        else parent.right = node;
        balancePut(node);
        return null;
    }

    V remove(K key) {
        Node<K, V> z = find(key);
        if (z == null) return null;
        Node<K, V> y = z.left == null || z.right == null ? z : z.successor();
        Node<K, V> x = y.left != null ? y.left : y.right;
        Node<K, V> xParent = y.parent;
        if (x != null) x.parent = xParent;
        replace(y, x);
        if (y != z) {
            if (!y.red) balanceRemove(x, xParent);
            y.parent = z.parent;
            y.red = z.red;
            y.left = z.left;
            y.right = z.right;
            if (z.left != null) z.left.parent = y;
            if (z.right != null) z.right.parent = y;
            replace(z, y);
        } else if (!y.red) {
            balanceRemove(x, xParent);
        }
        return z.value;
    }

    private Node<K, V> find(K key) {
        Node<K, V> at = root;
        while (at != null) {
            int order = key.compareTo(at.key);
            if (order == 0) return at;
            at = order < 0 ? at.left : at.right;
        }
        return null;
    }

    private void replace(Node<K, V> old, Node<K, V> node) {
        Node<K, V> parent = old.parent;
        if (parent == null) root = node;
        else if (parent.left == old) parent.left = node;
        else parent.right = node;
    }

    private void rotateLeft(Node<K, V> x) {
        Node<K, V> y = x.right;
        x.right = y.left;
        if (y.left != null) y.left.parent = x;
        y.parent = x.parent;
        replace(x, y);
        y.left = x;
        x.parent = y;
    }

    private void rotateRight(Node<K, V> y) {
        Node<K, V> x = y.left;
        y.left = x.right;
        if (x.right != null) x.right.parent = y;
        x.parent = y.parent;
        replace(y, x);
        x.right = y;
        y.parent = x;
    }

    private void balancePut(Node<K, V> added) {
        Node<K, V> x = added;
        while (x.parent != null && x.parent.red) {
            Node<K, V> parent = x.parent;
            Node<K, V> grandparent = parent.parent;
            boolean isLeft = grandparent.left == parent;
            Node<K, V> uncle = isLeft ? grandparent.right : grandparent.left;
            if (uncle != null && uncle.red) {
                parent.red = false;
                uncle.red = false;
                grandparent.red = true;
                x = grandparent;
            } else if (isLeft) {
                if (parent.right == x) {
                    x = parent;
                    rotateLeft(x);
                }
                x.parent.red = false;
                grandparent.red = true;
                rotateRight(grandparent);
            } else {
                if (parent.left == x) {
                    x = parent;
                    rotateRight(x);
                }
                x.parent.red = false;
                grandparent.red = true;
                rotateLeft(grandparent);
            }
        }
        root.red = false;
    }

    private void balanceRemove(Node<K, V> start, Node<K, V> startParent) {
        Node<K, V> x = start;
        Node<K, V> parent = startParent;
        while (x != root && isBlack(x)) {
            if (parent.left == x) {
                Node<K, V> sibling = parent.right;
                if (sibling.red) {
                    sibling.red = false;
                    parent.red = true;
                    rotateLeft(parent);
                    sibling = parent.right;
                }
                if (isBlack(sibling.left) && isBlack(sibling.right)) {
                    sibling.red = true;
                    x = parent;
                    parent = parent.parent;
                } else {
                    if (isBlack(sibling.right)) {
                        sibling.left.red = false;
                        sibling.red = true;
                        rotateRight(sibling);
                        sibling = parent.right;
                    }
                    sibling.red = parent.red;
                    parent.red = false;
                    if (sibling.right != null) sibling.right.red = false;
                    rotateLeft(parent);
                    x = root;
                    parent = null;
                }
            } else {
                Node<K, V> sibling = parent.left;
                if (sibling.red) {
                    sibling.red = false;
                    parent.red = true;
                    rotateRight(parent);
                    sibling = parent.left;
                }
                if (isBlack(sibling.right) && isBlack(sibling.left)) {
                    sibling.red = true;
                    x = parent;
                    parent = parent.parent;
                } else {
                    if (isBlack(sibling.left)) {
                        sibling.right.red = false;
                        sibling.red = true;
                        rotateLeft(sibling);
                        sibling = parent.left;
                    }
                    sibling.red = parent.red;
                    parent.red = false;
                    if (sibling.left != null) sibling.left.red = false;
                    rotateRight(parent);
                    x = root;
                    parent = null;
                }
            }
        }
        if (x != null) x.red = false;
    }
}
