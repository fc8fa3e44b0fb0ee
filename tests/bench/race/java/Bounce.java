// Bouncing balls; the same as tests/bench/programs/bounce.ten.

public final class Bounce {
    private static final class Ball {
        int x;
        int y;
        int xVel;
        int yVel;

        Ball(SomRandom random) {
            x = random.next() % 500;
            y = random.next() % 500;
            xVel = random.next() % 300 - 150;
            yVel = random.next() % 300 - 150;
        }

        boolean bounce() {
            int xLimit = 500;
            int yLimit = 500;
            boolean bounced = false;
            x += xVel;
            y += yVel;
            if (x > xLimit) { x = xLimit; xVel = -Math.abs(xVel); bounced = true; }
            if (x < 0) { x = 0; xVel = Math.abs(xVel); bounced = true; }
            if (y > yLimit) { y = yLimit; yVel = -Math.abs(yVel); bounced = true; }
            if (y < 0) { y = 0; yVel = Math.abs(yVel); bounced = true; }
            return bounced;
        }
    }

    private static int bounces() {
        SomRandom random = new SomRandom();
        Ball[] balls = new Ball[100];
        for (int i = 0; i < balls.length; i++) balls[i] = new Ball(random);
        int count = 0;
        for (int i = 0; i < 50; i++) {
            for (Ball ball : balls) {
                if (ball.bounce()) count++;
            }
        }
        return count;
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        int result = 0;
        for (int i = 0; i < rounds; i++) result = bounces();
        System.out.println(result);
    }
}
