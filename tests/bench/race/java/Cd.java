// Collision detection between aircraft; the same as tests/bench/programs/cd.ten.
import java.util.ArrayList;
import java.util.List;

public final class Cd {
    private static final double LOW = 0;
    private static final double HIGH = 1000;
    private static final double HIGH_Z = 10;
    private static final double PROXIMITY_RADIUS = 1;
    private static final double VOXEL_SIZE = 2;

    private static final class Vec2 implements Comparable<Vec2> {
        final double x;
        final double y;

        Vec2(double x, double y) {
            this.x = x;
            this.y = y;
        }

        Vec2 plus(Vec2 other) { return new Vec2(x + other.x, y + other.y); }

        Vec2 minus(Vec2 other) { return new Vec2(x - other.x, y - other.y); }

        @Override public int compareTo(Vec2 other) {
            int order = Double.compare(x, other.x);
            return order != 0 ? order : Double.compare(y, other.y);
        }
    }

    private static final class Vec3 {
        final double x;
        final double y;
        final double z;

        Vec3(double x, double y, double z) {
            this.x = x;
            this.y = y;
            this.z = z;
        }

        Vec3 plus(Vec3 other) { return new Vec3(x + other.x, y + other.y, z + other.z); }

        Vec3 minus(Vec3 other) { return new Vec3(x - other.x, y - other.y, z - other.z); }

        Vec3 times(double factor) { return new Vec3(x * factor, y * factor, z * factor); }

        double dot(Vec3 other) { return x * other.x + y * other.y + z * other.z; }

        double squaredMagnitude() { return dot(this); }

        double magnitude() { return Math.sqrt(squaredMagnitude()); }
    }

    private static final class CallSign implements Comparable<CallSign> {
        final String value;

        CallSign(String value) { this.value = value; }

        @Override public int compareTo(CallSign other) { return value.compareTo(other.value); }
    }

    private static final class Aircraft {
        final CallSign callsign;
        final Vec3 position;

        Aircraft(CallSign callsign, Vec3 position) {
            this.callsign = callsign;
            this.position = position;
        }
    }

    private static final class Collision {
        final CallSign aircraftA;
        final CallSign aircraftB;
        final Vec3 position;

        Collision(CallSign aircraftA, CallSign aircraftB, Vec3 position) {
            this.aircraftA = aircraftA;
            this.aircraftB = aircraftB;
            this.position = position;
        }
    }

    private static final class Motion {
        final CallSign callsign;
        final Vec3 start;
        final Vec3 end;

        Motion(CallSign callsign, Vec3 start, Vec3 end) {
            this.callsign = callsign;
            this.start = start;
            this.end = end;
        }

        Vec3 delta() { return end.minus(start); }

        Vec3 findIntersection(Motion other) {
            double radius = PROXIMITY_RADIUS;
            Vec3 delta1 = delta();
            Vec3 delta2 = other.delta();
            double a = delta2.minus(delta1).squaredMagnitude();
            if (a != 0) {
                double b = 2 * start.minus(other.start).dot(delta1.minus(delta2));
                double c = -radius * radius + other.start.minus(start).squaredMagnitude();
                double discriminant = b * b - 4 * a * c;
                if (discriminant < 0) return null;
                double v1 = (-b - Math.sqrt(discriminant)) / (2 * a);
                double v2 = (-b + Math.sqrt(discriminant)) / (2 * a);
                if (v1 <= v2 && (v1 <= 1 && 1 <= v2 || v1 <= 0 && 0 <= v2 || 0 <= v1 && v2 <= 1)) {
                    double v = v1 <= 0 ? 0 : v1;
                    Vec3 at1 = start.plus(delta1.times(v));
                    Vec3 at2 = other.start.plus(delta2.times(v));
                    Vec3 at = at1.plus(at2).times(0.5);
                    if (at.x >= LOW && at.x <= HIGH && at.y >= LOW && at.y <= HIGH && at.z >= LOW && at.z <= HIGH_Z) {
                        return at;
                    }
                }
                return null;
            }
            if (other.start.minus(start).magnitude() <= radius) return start.plus(other.start).times(0.5);
            return null;
        }
    }

    private static final class Detector {
        private final RedBlackTree<CallSign, Vec3> positions = new RedBlackTree<>();

        List<Collision> handleFrame(List<Aircraft> frame) {
            List<Motion> motions = new ArrayList<>();
            RedBlackTree<CallSign, Boolean> seen = new RedBlackTree<>();
            for (Aircraft aircraft : frame) {
                Vec3 before = positions.put(aircraft.callsign, aircraft.position);
                seen.put(aircraft.callsign, true);
                motions.add(new Motion(aircraft.callsign, before != null ? before : aircraft.position, aircraft.position));
            }

            List<CallSign> gone = new ArrayList<>();
            positions.each((callsign, position) -> {
                if (seen.get(callsign) == null) gone.add(callsign);
            });
            for (CallSign callsign : gone) positions.remove(callsign);

            List<Collision> collisions = new ArrayList<>();
            for (List<Motion> near : reduce(motions)) {
                for (int i = 0; i < near.size(); i++) {
                    Motion motion1 = near.get(i);
                    for (int j = i + 1; j < near.size(); j++) {
                        Motion motion2 = near.get(j);
                        Vec3 position = motion1.findIntersection(motion2);
                        if (position != null) collisions.add(new Collision(motion1.callsign, motion2.callsign, position));
                    }
                }
            }
            return collisions;
        }
    }

    private static List<List<Motion>> reduce(List<Motion> motions) {
        RedBlackTree<Vec2, List<Motion>> map = new RedBlackTree<>();
        for (Motion motion : motions) spread(map, new RedBlackTree<>(), voxelOf(motion.start), motion);
        List<List<Motion>> near = new ArrayList<>();
        map.each((voxel, list) -> {
            if (list.size() > 1) near.add(list);
        });
        return near;
    }

    private static final Vec2 HORIZONTAL = new Vec2(VOXEL_SIZE, 0);
    private static final Vec2 VERTICAL = new Vec2(0, VOXEL_SIZE);

    private static Vec2 voxelOf(Vec3 position) {
        double x = VOXEL_SIZE * (int) (position.x / VOXEL_SIZE);
        double y = VOXEL_SIZE * (int) (position.y / VOXEL_SIZE);
        return new Vec2(position.x < 0 ? x - VOXEL_SIZE : x, position.y < 0 ? y - VOXEL_SIZE : y);
    }

    private static void spread(
            RedBlackTree<Vec2, List<Motion>> map, RedBlackTree<Vec2, Boolean> seen, Vec2 voxel, Motion motion) {
        if (!isInVoxel(voxel, motion) || seen.put(voxel, true) != null) return;
        List<Motion> motions = map.get(voxel);
        if (motions == null) {
            motions = new ArrayList<>();
            map.put(voxel, motions);
        }
        motions.add(motion);
        spread(map, seen, voxel.minus(HORIZONTAL), motion);
        spread(map, seen, voxel.plus(HORIZONTAL), motion);
        spread(map, seen, voxel.minus(VERTICAL), motion);
        spread(map, seen, voxel.plus(VERTICAL), motion);
        spread(map, seen, voxel.minus(HORIZONTAL).minus(VERTICAL), motion);
        spread(map, seen, voxel.minus(HORIZONTAL).plus(VERTICAL), motion);
        spread(map, seen, voxel.plus(HORIZONTAL).minus(VERTICAL), motion);
        spread(map, seen, voxel.plus(HORIZONTAL).plus(VERTICAL), motion);
    }

    private static boolean isInVoxel(Vec2 voxel, Motion motion) {
        if (voxel.x > HIGH || voxel.x < LOW || voxel.y > HIGH || voxel.y < LOW) return false;
        double r = PROXIMITY_RADIUS / 2;
        double x0 = motion.start.x;
        double y0 = motion.start.y;
        double xv = motion.end.x - x0;
        double yv = motion.end.y - y0;
        double lowX = (voxel.x - r - x0) / xv;
        double highX = (voxel.x + VOXEL_SIZE + r - x0) / xv;
        if (xv < 0) {
            double swapped = lowX;
            lowX = highX;
            highX = swapped;
        }
        double lowY = (voxel.y - r - y0) / yv;
        double highY = (voxel.y + VOXEL_SIZE + r - y0) / yv;
        if (yv < 0) {
            double swapped = lowY;
            lowY = highY;
            highY = swapped;
        }
        boolean meetsX = xv == 0 && voxel.x <= x0 + r && x0 - r <= voxel.x + VOXEL_SIZE || meetsFrame(lowX, highX);
        boolean meetsY = yv == 0 && voxel.y <= y0 + r && y0 - r <= voxel.y + VOXEL_SIZE || meetsFrame(lowY, highY);
        return meetsX && meetsY && (xv == 0 || yv == 0
            || lowY <= highX && highX <= highY
            || lowY <= lowX && lowX <= highY
            || lowX <= lowY && highY <= highX);
    }

    private static boolean meetsFrame(double low, double high) {
        return low <= 1 && 1 <= high || low <= 0 && 0 <= high || 0 <= low && high <= 1;
    }

    private static final class Simulator {
        private final List<CallSign> callsigns = new ArrayList<>();

        Simulator(int count) {
            for (int i = 0; i < count; i++) callsigns.add(new CallSign("foo" + i));
        }

        List<Aircraft> simulate(double time) {
            List<Aircraft> frame = new ArrayList<>();
            for (int i = 0; i < callsigns.size(); i += 2) {
                double y = i * 3.0;
                frame.add(new Aircraft(callsigns.get(i), new Vec3(time, Math.cos(time) * 2 + y, 10)));
                frame.add(new Aircraft(callsigns.get(i + 1), new Vec3(time, Math.sin(time) * 2 + y, 10)));
            }
            return frame;
        }
    }

    public static void main(String[] args) {
        Simulator simulator = new Simulator(args.length > 0 ? Integer.parseInt(args[0]) : 100);
        Detector detector = new Detector();
        int collisions = 0;
        for (int i = 0; i < 200; i++) collisions += detector.handleFrame(simulator.simulate(i / 10.0)).size();
        System.out.println(collisions);
    }
}
