/* The Mandelbrot set, its checksum; the same as tests/bench/programs/mandelbrot.ten. */
#include <stdio.h>
#include <stdlib.h>

static long mandelbrot(long size) {
    long sum = 0, byte_acc = 0, bit_num = 0;
    for (long y = 0; y < size; y++) {
        double ci = 2.0 * y / size - 1.0;
        for (long x = 0; x < size; x++) {
            double cr = 2.0 * x / size - 1.5;
            double zrzr = 0, zi = 0, zizi = 0;
            long escape = 0;
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
            byte_acc = (byte_acc << 1) + escape;
            bit_num++;
            if (bit_num == 8) {
                sum ^= byte_acc;
                byte_acc = bit_num = 0;
            } else if (x == size - 1) {
                sum ^= byte_acc << (8 - bit_num);
                byte_acc = bit_num = 0;
            }
        }
    }
    return sum;
}

int main(int argc, char **argv) {
    printf("%ld\n", mandelbrot(argc > 1 ? atol(argv[1]) : 500));
}
