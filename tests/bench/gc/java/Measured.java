// Runs another class's main and tells on standard error what the virtual machine's own threads cost: exact thread CPU
// times, where /proc has ticks only.
//
// java --add-exports java.management/sun.management=ALL-UNNAMED Measured CLASS ARGS…

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

public final class Measured {
    public static void main(String[] args) throws Exception {
        Class.forName(args[0])
            .getMethod("main", String[].class)
            .invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
        Map<String, Long> threads =
            sun.management.ManagementFactoryHelper.getHotspotThreadMBean().getInternalThreadCpuTimes();
        long ns = 0;
        for (Map.Entry<String, Long> thread : threads.entrySet()) {
            String name = thread.getKey();
            if (name.startsWith("GC Thread") || name.startsWith("G1 ") || name.equals("VM Thread")) ns += thread.getValue();
        }
        long peakKib = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) peakKib = Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
        System.err.println("measured " + ns + " " + peakKib * 1024);
    }
}
