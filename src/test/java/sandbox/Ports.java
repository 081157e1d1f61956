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
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** TCP ports of the loopback address. */
final class Ports {

    /** Written as digits: a name may mean the IPv6 address to one program and the IPv4 address to another. */
    static final String LOOPBACK = "127.0.0.1";

    private static final int CONNECT_TIMEOUT_MS = 500;

    private Ports() {}

    /**
     * Ports that nobody listens on, each given once. They lie below the range from which outgoing connections take theirs: while a test keeps a server
     * down, a client that keeps reconnecting could otherwise be given that very port, and the server could not come back.
     */
    static PrimitiveIterator.OfInt free() {
        return free(20_000, 26_000);
    }

    /** As {@link #free()}, for the ports that a server needs for itself: never one that another server was given and has not taken yet. */
    static PrimitiveIterator.OfInt freeForInternalUse() {
        return free(26_000, 30_000);
    }

    /** Each JVM of the tests draws from its own half, so that none takes the port of a server that the other keeps down. */
    private static PrimitiveIterator.OfInt free(int from, int to) {
        int half = (to - from) / 2;
        int start = from + TestJvm.NUMBER % 2 * half;
        return ThreadLocalRandom.current()
                .ints(start, start + half)
                .distinct()
                .filter(port -> !taken(port))
                .iterator();
    }

    /** Whether a server that wants this port would fail, or would share it with somebody else's. */
    static boolean taken(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(LOOPBACK, port));
        } catch (IOException e) {
            return true;
        }
        // Some systems let one bind beside a listener on all addresses, so ask whether anybody answers, too.
        return answers(port);
    }

    /**
     * Returns when nobody listens on the port; the connections of a process that has just ended may keep it for a moment.
     *
     * @param name what wants the port, as in {@code -Dsandbox.<name>.port}
     * @throws SandboxException when somebody else holds it
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

    /** Whether the port is free, or becomes so within two seconds. */
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

    /** Whether a connection is accepted. */
    static boolean answers(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(LOOPBACK, port), CONNECT_TIMEOUT_MS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** The process that listens on the port, where the system lets us see it (Linux; elsewhere and for other users' processes: empty). */
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
            // Gone meanwhile, or another user's: not the one we can name.
        }
        return false;
    }
}
