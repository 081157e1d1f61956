package bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Sends the requests of a load from several clients, each of which sends one request after the other. */
final class Clients {

    private Clients() {}

    /** Sends one request and returns when its answer has arrived. */
    @FunctionalInterface
    interface Call {

        /** @param number of the request in its load, from 0 */
        void send(int number) throws Exception;
    }

    /**
     * @param nanos sorted; a request with a due time counts from it
     * @param seconds from the first request to the last answer
     */
    record Latencies(long[] nanos, double seconds) {

        double millis(int percent) {
            return nanos[Math.min(nanos.length - 1, nanos.length * percent / 100)] / 1e6;
        }

        double perSecond() {
            return nanos.length / seconds;
        }
    }

    /**
     * @param rate requests per second, started on time even when earlier ones are late; 0 for as fast as the answers
     * @throws java.util.concurrent.ExecutionException for the first request that failed
     */
    static Latencies send(int clients, int rate, int count, Call call) throws Exception {
        long[] nanos = new long[count];
        AtomicInteger next = new AtomicInteger();
        long began = System.nanoTime();
        Callable<Void> client = () -> {
            for (int i; (i = next.getAndIncrement()) < count; ) {
                long due = rate == 0 ? System.nanoTime() : began + i * 1_000_000_000L / rate;
                for (long early; (early = due - System.nanoTime()) > 0; ) {
                    LockSupport.parkNanos(early);
                }
                call.send(i);
                nanos[i] = System.nanoTime() - due;
            }
            return null;
        };
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            List<Future<Void>> all = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                all.add(threads.submit(client));
            }
            for (Future<Void> one : all) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        Arrays.sort(nanos);
        return new Latencies(nanos, seconds);
    }
}
