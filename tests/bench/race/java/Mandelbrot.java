// The Mandelbrot set, its checksum; the same as tests/bench/programs/mandelbrot.ten.

public final class Mandelbrot {
    private static int mandelbrot(int size) {
        int sum = 0;
        int byteAcc = 0;
        int bitNum = 0;
        for (int y = 0; y < size; y++) {
            double ci = 2.0 * y / size - 1.0;
            for (int x = 0; x < size; x++) {
                double cr = 2.0 * x / size - 1.5;
                double zrzr = 0;
                double zi = 0;
                double zizi = 0;
                int escape = 0;
                for (int z = 0; z < 50; z++) {
                    double zr = zrzr - zizi + cr;
                    zi = 2.0 * zr * zi + ci;
                    zrzr = zr * zr;
                    zizi = zi * zi;
                    if (zrzr + zizi > 4.0) {
                        escape = 1;
                        break;
                    }
                }
                byteAcc = (byteAcc << 1) + escape;
                bitNum++;
                if (bitNum == 8) {
                    sum ^= byteAcc;
                    byteAcc = 0;
                    bitNum = 0;
                } else if (x == size - 1) {
                    byteAcc <<= 8 - bitNum;
                    sum ^= byteAcc;
                    byteAcc = 0;
                    bitNum = 0;
                }
            }
        }
        return sum;
    }

    public static void main(String[] args) {
        System.out.println(mandelbrot(args.length > 0 ? Integer.parseInt(args[0]) : 500));
    }
}
