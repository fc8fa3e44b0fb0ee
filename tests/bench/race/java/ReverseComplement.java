// DNA read backwards; the same as tests/bench/programs/reverse_complement.ten.

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

public final class ReverseComplement {
    private static final int LINE_LENGTH = 60;
    private static final byte[] TABLE = new byte[256];

    static {
        for (int i = 0; i < 256; i++) TABLE[i] = (byte) i;
        String from = "ACGTUMRWSYKVHDBN";
        String to = "TGCAAKYWSRMBDHVN";
        for (int i = 0; i < from.length(); i++) {
            TABLE[from.charAt(i)] = (byte) to.charAt(i);
            TABLE[from.charAt(i) + 32] = (byte) to.charAt(i);
        }
    }

    private static void writeReversed(byte[] sequence, int length, OutputStream out) throws IOException {
        byte[] line = new byte[LINE_LENGTH + 1];
        int width = 0;
        for (int at = length - 1; at >= 0; at--) {
            line[width++] = TABLE[sequence[at] & 0xff];
            if (width == LINE_LENGTH || at == 0) {
                line[width] = '\n';
                out.write(line, 0, width + 1);
                width = 0;
            }
        }
    }

    public static void main(String[] args) throws IOException {
        byte[] input = System.in.readAllBytes();
        byte[] sequence = new byte[input.length];
        int length = 0;
        try (OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16)) {
            for (int at = 0; at < input.length;) {
                int end = at;
                while (end < input.length && input[end] != '\n') end++;
                if (input[at] == '>') {
                    writeReversed(sequence, length, out);
                    length = 0;
                    out.write(input, at, end - at);
                    out.write('\n');
                } else {
                    System.arraycopy(input, at, sequence, length, end - at);
                    length += end - at;
                }
                at = end + 1;
            }
            writeReversed(sequence, length, out);
        }
    }
}
