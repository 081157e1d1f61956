package sandbox;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.PrimitiveIterator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds TCP ports of the loopback address. */
final class Ports {

    /** The loopback address as digits, because a name may mean IPv6 to one program and IPv4 to another. */
    static final String LOOPBACK = "127.0.0.1";

    private static final int CONNECT_TIMEOUT_MS = 500;

    /** Ports of servers that may not run yet, or not at the moment. */
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private Ports() {}

    /**
     * Returns free ports, each once in this JVM. They lie below the range of outgoing connections. Otherwise a
     * reconnecting client could occupy the port of a server that a test keeps down.
     */
    static PrimitiveIterator.OfInt free() {
        return free(20_000, 26_000);
    }

    /** Returns free ports for the internal use of a server, apart from those of {@link #free()}. */
    static PrimitiveIterator.OfInt freeForInternalUse() {
        return free(26_000, 30_000);
    }

    /** Draws from the half of this JVM, so that no other JVM takes the port of a server that is down. */
    private static PrimitiveIterator.OfInt free(int from, int to) {
        int half = (to - from) / 2;
        int start = from + TestJvm.NUMBER % 2 * half;
        return ThreadLocalRandom.current()
                .ints(start, start + half)
                .distinct()
                .filter(port -> !taken(port) && GIVEN.add(port))
                .iterator();
    }

    /** Tells whether another process uses the port. */
    static boolean taken(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(LOOPBACK, port));
        } catch (IOException e) {
            return true;
        }
        // some systems allow a bind beside a listener on all addresses
        return answers(port);
    }

    /**
     * Waits until the port is free; connections of an ended process may keep it for a moment.
     *
     * @param name of the user of the port, as in {@code -Dsandbox.<name>.port}
     * @throws SandboxException when another process holds the port
     */
    static void requireFree(String name, int port) {
        if (!becomesFree(port)) {
            String holder = holder(port)
                    .map(other -> " by process %d (%s)"
                            .formatted(other.pid(), other.info().command().orElse("unknown")))
                    .orElse("");
            throw new SandboxException(
                    "%s cannot be started: port %d is taken%s. Stop what uses it, or choose another port with -Dsandbox.%s.port=<port>"
                            .formatted(name, port, holder, name));
        }
    }

    /** Tells whether the port is free within two seconds. */
    private static boolean becomesFree(int port) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        while (taken(port)) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
        return true;
    }

    /** Tells whether a server accepts a connection. */
    static boolean answers(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(LOOPBACK, port), CONNECT_TIMEOUT_MS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Returns the process that listens on the port. Empty on systems other than Linux, and for processes of other
     * users.
     */
    static Optional<ProcessHandle> holder(int port) {
        Set<String> sockets = Stream.of("/proc/net/tcp", "/proc/net/tcp6")
                .flatMap(table -> listening(Path.of(table), port))
                .collect(Collectors.toSet());
        if (sockets.isEmpty()) {
            return Optional.empty();
        }
        return ProcessHandle.allProcesses()
                .filter(process -> hasOpen(process, sockets))
                .findFirst();
    }

    private static Stream<String> listening(Path table, int port) {
        String localPort = ":%04X".formatted(port);
        try {
            // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …; state 0A is LISTEN
            return Files.readAllLines(table).stream()
                    .map(line -> line.trim().split("\\s+"))
                    .filter(field -> field.length > 9 && field[1].endsWith(localPort) && field[3].equals("0A"))
                    .map(field -> "socket:[" + field[9] + "]");
        } catch (IOException e) {
            return Stream.empty();
        }
    }

    private static boolean hasOpen(ProcessHandle process, Set<String> sockets) {
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(Path.of("/proc", Long.toString(process.pid()), "fd"))) {
            for (Path file : files) {
                if (sockets.contains(Files.readSymbolicLink(file).toString())) {
                    return true;
                }
            }
        } catch (IOException | RuntimeException e) {
            // has ended, or belongs to another user
        }
        return false;
    }
}
