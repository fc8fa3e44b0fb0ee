// The Mandelbrot set as a portable bitmap; the same as tests/bench/programs/mandelbrot_bitmap.ten.
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

public final class MandelbrotBitmap {
    private static boolean isInside(double cr, double ci) {
        double zr = 0;
        double zi = 0;
        double zr2 = 0;
        double zi2 = 0;
        for (int i = 0; i < 50; i++) {
            zi = 2 * zr * zi + ci;
            zr = zr2 - zi2 + cr;
            zr2 = zr * zr;
            zi2 = zi * zi;
            if (zr2 + zi2 > 4) return false;
        }
        return true;
    }

    public static void main(String[] args) throws IOException {
        int size = args.length > 0 ? Integer.parseInt(args[0]) : 200;
        try (OutputStream out = new BufferedOutputStream(System.out)) {
            out.write(("P4\n" + size + " " + size + "\n").getBytes(StandardCharsets.US_ASCII));
            byte[] row = new byte[(size + 7) / 8];
            for (int y = 0; y < size; y++) {
                double ci = 2.0 * y / size - 1;
                java.util.Arrays.fill(row, (byte) 0);
                for (int x = 0; x < size; x++) {
                    if (isInside(2.0 * x / size - 1.5, ci)) row[x >> 3] |= (byte) (128 >> (x & 7));
                }
                out.write(row);
            }
        }
    }
}
