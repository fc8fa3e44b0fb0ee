// The random numbers that the are-we-fast-yet programs share.

final class SomRandom {
    private int seed = 74755;

    int next() {
        seed = (seed * 1309 + 13849) & 65535;
        return seed;
    }
}
