// Naive Fibonacci; the same as tests/bench/programs/fib.ten.

public final class Fib {
    // exact arithmetic, as Tenure's integers are checked
    static long fib(long n) {
        return n < 2 ? n : Math.addExact(fib(n - 1), fib(n - 2));
    }

    public static void main(String[] args) {
        System.out.println(fib(args.length > 0 ? Long.parseLong(args[0]) : 32));
    }
}
