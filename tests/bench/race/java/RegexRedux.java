// Patterns counted and replaced; the same as tests/bench/programs/regex_redux.ten.
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public final class RegexRedux {
    private static final String[] VARIANTS = {
        "agggtaaa|tttaccct",
        "[cgt]gggtaaa|tttaccc[acg]",
        "a[act]ggtaaa|tttacc[agt]t",
        "ag[act]gtaaa|tttac[agt]ct",
        "agg[act]taaa|ttta[agt]cct",
        "aggg[acg]aaa|ttt[cgt]ccct",
        "agggt[cgt]aa|tt[acg]accct",
        "agggta[cgt]a|t[acg]taccct",
        "agggtaa[cgt]|[acg]ttaccct",
    };
    private static final String[][] REPLACEMENTS = {
        {"tHa[Nt]", "<4>"}, {"aND|caN|Ha[DS]|WaS", "<3>"}, {"a[NSt]|BY", "<2>"}, {"<[^>]*>", "|"}, {"\\|[^|][^|]*\\|", "-"},
    };

    public static void main(String[] args) throws IOException {
        String input = new String(System.in.readAllBytes(), StandardCharsets.ISO_8859_1);
        String sequence = Pattern.compile(">.*\n|\n").matcher(input).replaceAll("");
        for (String variant : VARIANTS) {
            Matcher matcher = Pattern.compile(variant).matcher(sequence);
            int count = 0;
            while (matcher.find()) count++;
            System.out.println(variant + " " + count);
        }
        String rewritten = sequence;
        for (String[] pair : REPLACEMENTS) rewritten = Pattern.compile(pair[0]).matcher(rewritten).replaceAll(pair[1]);
        System.out.println("\n" + input.length() + "\n" + sequence.length() + "\n" + rewritten.length());
    }
}
