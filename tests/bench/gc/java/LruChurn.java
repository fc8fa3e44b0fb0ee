// The same as programs/lru_churn.ten.

import java.util.LinkedHashMap;
import java.util.Map;

public final class LruChurn {
    private static final class Page {
        final long id;
        final String title;
        final long[] body = new long[8];
        long reads;

        Page(long id) {
            this.id = id;
            title = "page " + id;
            for (int i = 0; i < 8; i++) body[i] = id * i;
        }
    }

    private static final class Lru<K, V> extends LinkedHashMap<K, V> {
        private final int room;

        Lru(int room) {
            super(16, 0.75f, true);
            this.room = room;
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > room;
        }
    }

    private static long state = 88172645463325252L;

    private static long below(long bound) {
        state ^= state << 13;
        state ^= state >>> 7;
        state ^= state << 17;
        return (state >>> 1) % bound;
    }

    public static void main(String[] args) {
        long requests = Long.parseLong(args[0]);
        long pages = Long.parseLong(args[1]);
        Lru<Long, Page> cache = new Lru<>(Integer.parseInt(args[2]));
        long checksum = 0;
        for (long i = 0; i < requests; i++) {
            double u = (double) below(1000000) / 1000000.0;
            long id = (long) ((double) pages * u * u * u);
            Page page = cache.get(id);
            if (page == null) {
                page = new Page(id);
                cache.put(id, page);
            }
            page.reads++;
            checksum = (checksum * 31 + page.body[(int) (page.reads % 8)] + page.title.length()) % 1000000007;
        }
        System.out.println(requests + " requests, " + cache.size() + " pages kept, checksum " + checksum);
    }
}
