// Takeuchi's function on linked lists; the same as tests/bench/programs/list.ten.

public final class List {
    private static final class Element {
        final int value;
        final Element next;

        Element(int value, Element next) {
            this.value = value;
            this.next = next;
        }
    }

    private static Element makeList(int length) {
        return length == 0 ? null : new Element(length, makeList(length - 1));
    }

    private static boolean isShorterThan(Element x, Element y) {
        Element a = x;
        Element b = y;
        while (b != null) {
            if (a == null) return true;
            a = a.next;
            b = b.next;
        }
        return false;
    }

    private static Element tail(Element x, Element y, Element z) {
        if (isShorterThan(y, x)) {
            return tail(tail(x.next, y, z), tail(y.next, z, x), tail(z.next, x, y));
        }
        return z;
    }

    private static int length(Element list) {
        int n = 0;
        for (Element at = list; at != null; at = at.next) n++;
        return n;
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        int result = 0;
        for (int i = 0; i < rounds; i++) result = length(tail(makeList(15), makeList(10), makeList(6)));
        System.out.println(result);
    }
}
