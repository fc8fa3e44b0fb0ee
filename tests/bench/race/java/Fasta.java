// Random DNA in FASTA format; the same as tests/bench/programs/fasta.ten.

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

public final class Fasta {
    private static final int LINE_LENGTH = 60;
    private static final int MODULUS = 139968;
    private static final String ALU = "GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGG"
        + "GAGGCCGAGGCGGGCGGATCACCTGAGGTCAGGAGTTCGAGA"
        + "CCAGCCTGGCCAACATGGTGAAACCCCGTCTCTACTAAAAAT"
        + "ACAAAAATTAGCCGGGCGTGGTGGCGCGCGCCTGTAATCCCA"
        + "GCTACTCGGGAGGCTGAGGCAGGAGAATCGCTTGAACCCGGG"
        + "AGGCGGAGGTTGCAGTGAGCCGAGATCGCGCCACTGCACTCC"
        + "AGCCTGGGCGACAGAGCGAGACTCCGTCTCAAAAA";

    private record Letter(byte code, double probability) {}

    private static final OutputStream OUT = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);

    private static Letter[] letters(String codes, double... probabilities) {
        Letter[] letters = new Letter[probabilities.length];
        double sum = 0;
        for (int i = 0; i < probabilities.length; i++) {
            sum += probabilities[i];
            letters[i] = new Letter((byte) codes.charAt(i), sum);
        }
        return letters;
    }

    private static int seed = 42;

    private static double random() {
        seed = (seed * 3877 + 29573) % MODULUS;
        return (double) seed / MODULUS;
    }

    private static byte pick(Letter[] letters) {
        double r = random();
        for (Letter letter : letters) {
            if (r < letter.probability) return letter.code;
        }
        return letters[letters.length - 1].code;
    }

    private static void print(String line) throws IOException {
        OUT.write(line.getBytes(StandardCharsets.ISO_8859_1));
        OUT.write('\n');
    }

    private static void repeatFasta(String text, int n) throws IOException {
        byte[] twice = (text + text.substring(0, LINE_LENGTH)).getBytes(StandardCharsets.ISO_8859_1);
        int at = 0;
        for (int left = n; left > 0;) {
            int width = Math.min(left, LINE_LENGTH);
            OUT.write(twice, at, width);
            OUT.write('\n');
            at = (at + width) % text.length();
            left -= width;
        }
    }

    private static void randomFasta(Letter[] letters, int n) throws IOException {
        byte[] line = new byte[LINE_LENGTH];
        for (int left = n; left > 0;) {
            int width = Math.min(left, LINE_LENGTH);
            for (int i = 0; i < width; i++) line[i] = pick(letters);
            OUT.write(line, 0, width);
            OUT.write('\n');
            left -= width;
        }
    }

    public static void main(String[] args) throws IOException {
        int n = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
        print(">ONE Homo sapiens alu");
        repeatFasta(ALU, 2 * n);
        print(">TWO IUB ambiguity codes");
        double[] ambiguity = new double[15];
        Arrays.fill(ambiguity, 0.02);
        System.arraycopy(new double[] {0.27, 0.12, 0.12, 0.27}, 0, ambiguity, 0, 4);
        randomFasta(letters("acgtBDHKMNRSVWY", ambiguity), 3 * n);
        print(">THREE Homo sapiens frequency");
        randomFasta(letters("acgt", 0.3029549426680, 0.1979883004921, 0.1975473066391, 0.3015094502008), 5 * n);
        OUT.flush();
    }
}
