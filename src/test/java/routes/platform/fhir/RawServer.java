package routes.platform.fhir;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server on loopback that answers the bytes of a test, whether they are HTTP or not. */
public final class RawServer implements AutoCloseable {

    /** Answers on one connection, after the head of its first request. */
    public interface Answer {
        void write(InputStream in, OutputStream out) throws IOException, InterruptedException;
    }

    /** The same by the first line and the headers of the request. */
    public interface AnswerByHead {
        void write(String head, InputStream in, OutputStream out) throws IOException, InterruptedException;
    }

    /** More than the connections that a test opens at a time. */
    private static final int BACKLOG = 500;

    private final ServerSocket server;
    private final List<String> heads = new CopyOnWriteArrayList<>();
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile AnswerByHead answer;

    public RawServer() throws IOException {
        server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    public void answer(Answer next) {
        answerByHead((head, in, out) -> next.write(in, out));
    }

    public void answerByHead(AnswerByHead next) {
        answer = next;
    }

    /** Answers each connection with this text, and closes it. */
    public void answer(String text) {
        answer((in, out) -> out.write(text.getBytes(ISO_8859_1)));
    }

    public URI url(String path) {
        return URI.create("http://127.0.0.1:" + server.getLocalPort() + path);
    }

    /** The first head of each connection. */
    public List<String> heads() {
        return heads;
    }

    private void accept() {
        try {
            while (!server.isClosed()) {
                Socket socket = server.accept();
                sockets.add(socket);
                start(() -> serve(socket));
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            String head = head(in);
            heads.add(head);
            answer.write(head, in, socket.getOutputStream());
        } catch (IOException | InterruptedException e) {
            // the client or the test has ended the connection
        } finally {
            sockets.remove(socket);
            threads.remove(Thread.currentThread());
        }
    }

    /** Reads a request up to the empty line behind its head. */
    static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("no request");
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private void start(Runnable work) {
        Thread thread = new Thread(work, "raw-server");
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
        threads.forEach(Thread::interrupt);
    }
}
