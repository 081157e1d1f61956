package sandbox;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Holds a command line and its environment.
 *
 * @param command program and arguments
 * @param environment variables added to the few that every server inherits
 */
record Launch(List<String> command, Map<String, String> environment) {

    /**
     * Launches a Java server on the current JDK, tuned for a quick start on few cores: only C1, and the serial
     * collector.
     *
     * @param site its software is the class path, passed as an environment variable
     * @param maxHeapMiB upper limit of the heap
     * @param jvmArguments further arguments before the main class
     * @param main main class and its arguments
     */
    static Launch java(Server.Site site, int maxHeapMiB, List<String> jvmArguments, List<String> main) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "-Xmx" + maxHeapMiB + "m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-XX:-UsePerfData",
                "-Dfile.encoding=UTF-8",
                "-Djava.net.preferIPv4Stack=true",
                "-Djava.io.tmpdir=" + site.temporary()));
        command.addAll(jvmArguments);
        command.addAll(main);
        String joined = site.software().stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
        return new Launch(List.copyOf(command), Map.of("CLASSPATH", joined));
    }
}
