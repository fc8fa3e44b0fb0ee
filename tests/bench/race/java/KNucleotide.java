// Counts of the parts of a DNA sequence; the same as tests/bench/programs/k_nucleotide.ten.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

public final class KNucleotide {
    private static final class Count {
        int n = 1;
    }

    private static String readSequence(String name) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.ISO_8859_1), 1 << 16);
        String line;
        while ((line = in.readLine()) != null && !line.startsWith(name)) { }
        StringBuilder sequence = new StringBuilder();
        while ((line = in.readLine()) != null && !line.startsWith(">")) sequence.append(line);
        return sequence.toString().toUpperCase(Locale.ROOT);
    }

    private static Map<String, Count> count(String sequence, int length) {
        Map<String, Count> counts = new HashMap<>();
        for (int i = 0; i <= sequence.length() - length; i++) {
            String part = sequence.substring(i, i + length);
            Count count = counts.get(part);
            if (count == null) counts.put(part, new Count());
            else count.n++;
        }
        return counts;
    }

    private static void printFrequencies(String sequence, int length) {
        double total = sequence.length() - length + 1;
        List<Map.Entry<String, Count>> sorted = new ArrayList<>(count(sequence, length).entrySet());
        sorted.sort((a, b) -> {
            int order = Integer.compare(b.getValue().n, a.getValue().n);
            return order != 0 ? order : a.getKey().compareTo(b.getKey());
        });
        for (Map.Entry<String, Count> entry : sorted) {
            System.out.printf(Locale.ROOT, "%s %.3f%n", entry.getKey(), entry.getValue().n * 100.0 / total);
        }
        System.out.println();
    }

    public static void main(String[] args) throws IOException {
        String sequence = readSequence(">THREE");
        printFrequencies(sequence, 1);
        printFrequencies(sequence, 2);
        for (String part : new String[] {"GGT", "GGTA", "GGTATT", "GGTATTTTAATT", "GGTATTTTAATTTATAGT"}) {
            Count count = count(sequence, part.length()).get(part);
            System.out.println((count == null ? 0 : count.n) + "\t" + part);
        }
    }
}
