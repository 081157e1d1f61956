package routes.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Drives many connections from one thread. Each connection that the server closes is opened again. */
final class BusyCallers implements AutoCloseable {

    private static final int PAUSE_MILLIS = 2000;
    private static final int LITTLE = 4096;

    private final InetSocketAddress server;
    private final Selector selector = Selector.open();
    private final List<Caller> callers = new ArrayList<>();
    private final ByteBuffer read = ByteBuffer.allocate(1 << 16);
    private final Map<String, Integer> answers = new TreeMap<>();

    BusyCallers(int port, List<Kind> kinds) throws IOException {
        server = new InetSocketAddress("127.0.0.1", port);
        for (Kind kind : kinds) {
            for (int i = 0; i < kind.count(); i++) {
                callers.add(new Caller(kind));
            }
        }
    }

    /**
     * @param first bytes that each connection sends
     * @param then bytes that it sends every two seconds
     * @param again whether it sends the first bytes again after each answer
     * @param takes whether it reads the answers
     */
    record Kind(int count, String first, String then, boolean again, boolean takes) {

        static Kind slow(int count, String first, String then) {
            return new Kind(count, first, then, false, true);
        }

        /** Reads a little of the answer every two seconds, and reconnects when the server closes. */
        static Kind slowTakers(int count, String requests) {
            return new Kind(count, requests, "", true, false);
        }

        static Kind flood(int count, String request) {
            return new Kind(count, request, "", true, true);
        }
    }

    /** Counts the answers by status. */
    Map<String, Integer> answers() {
        return answers;
    }

    void goOnFor(Duration length) throws IOException {
        long end = System.nanoTime() + length.toNanos();
        for (Caller caller : callers) {
            caller.begin();
        }
        long next = System.nanoTime();
        while (System.nanoTime() < end) {
            selector.select(100);
            for (SelectionKey key : selector.selectedKeys()) {
                ((Caller) key.attachment()).read();
            }
            selector.selectedKeys().clear();
            if (System.nanoTime() > next) {
                next += Duration.ofMillis(PAUSE_MILLIS).toNanos();
                callers.forEach(Caller::goOn);
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (Caller caller : callers) {
            if (caller.channel != null) {
                caller.channel.close();
            }
        }
        selector.close();
    }

    private final class Caller {

        private final Kind kind;
        private SocketChannel channel;

        private Caller(Kind kind) {
            this.kind = kind;
        }

        private void begin() {
            try {
                if (channel != null) {
                    channel.close();
                }
                channel = SocketChannel.open();
                if (!kind.takes()) {
                    channel.setOption(StandardSocketOptions.SO_RCVBUF, LITTLE);
                }
                channel.connect(server);
                channel.configureBlocking(false);
                if (kind.takes()) {
                    channel.register(selector, SelectionKey.OP_READ, this);
                }
                send(kind.first());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void send(String text) throws IOException {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
        }

        private void goOn() {
            try {
                if (!kind.takes() && channel.read(read.clear().limit(LITTLE)) < 0) {
                    begin();
                    return;
                }
                // the connection is closed
                send(kind.then());
            } catch (IOException e) {
                begin();
            }
        }

        private void read() throws IOException {
            try {
                int n = channel.read(read.clear());
                if (n < 0) {
                    ended();
                    return;
                }
                String answer = new String(read.array(), 0, Math.min(n, 12), StandardCharsets.ISO_8859_1);
                if (answer.startsWith("HTTP/1.1 ")) {
                    answers.merge(answer.substring(9), 1, Integer::sum);
                    if (kind.again()) {
                        send(kind.first());
                    }
                }
            } catch (IOException e) {
                ended();
            }
        }

        private void ended() throws IOException {
            if (kind.again()) {
                begin();
            } else {
                channel.close();
            }
        }
    }
}
