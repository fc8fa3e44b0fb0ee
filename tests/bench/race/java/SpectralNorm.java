// The spectral norm; the same as tests/bench/programs/spectral_norm.ten.

import java.util.Arrays;
import java.util.Locale;

public final class SpectralNorm {
    private static double a(int i, int j) {
        return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
    }

    private static void multiply(double[] v, double[] result) {
        for (int i = 0; i < result.length; i++) {
            double sum = 0;
            for (int j = 0; j < v.length; j++) sum += a(i, j) * v[j];
            result[i] = sum;
        }
    }

    private static void multiplyTransposed(double[] v, double[] result) {
        for (int i = 0; i < result.length; i++) {
            double sum = 0;
            for (int j = 0; j < v.length; j++) sum += a(j, i) * v[j];
            result[i] = sum;
        }
    }

    private static void multiplyBoth(double[] v, double[] result, double[] between) {
        multiply(v, between);
        multiplyTransposed(between, result);
    }

    public static void main(String[] args) {
        int n = args.length > 0 ? Integer.parseInt(args[0]) : 100;
        double[] u = new double[n];
        double[] v = new double[n];
        double[] between = new double[n];
        Arrays.fill(u, 1);
        for (int i = 0; i < 10; i++) {
            multiplyBoth(u, v, between);
            multiplyBoth(v, u, between);
        }
        double vbv = 0;
        double vv = 0;
        for (int i = 0; i < n; i++) {
            vbv += u[i] * v[i];
            vv += v[i] * v[i];
        }
        System.out.printf(Locale.ROOT, "%.9f%n", Math.sqrt(vbv / vv));
    }
}
