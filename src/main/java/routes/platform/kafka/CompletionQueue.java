package routes.platform.kafka;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Collects the exchanges that complete asynchronously, on any thread. One of these threads at a time processes them for
 * all, so that none waits for the lock of the partition.
 */
final class CompletionQueue {

    private final Queue<Completion> completions = new ConcurrentLinkedQueue<>();
    private final AtomicInteger unprocessed = new AtomicInteger();
    private final Runnable processor;

    /** @param processor takes all completions by {@link #poll()}; never runs on two threads at once */
    CompletionQueue(Runnable processor) {
        this.processor = processor;
    }

    /** @param failure null when the exchange succeeded */
    void add(Lane lane, List<OffsetWindow.Entry> entries, Throwable failure) {
        completions.add(new Completion(lane, entries, failure));
        if (unprocessed.getAndIncrement() == 0) {
            for (int seen = 1; seen != 0; seen = unprocessed.addAndGet(-seen)) {
                processor.run();
            }
        }
    }

    /** Returns null when there is none. */
    Completion poll() {
        return completions.poll();
    }

    record Completion(Lane lane, List<OffsetWindow.Entry> entries, Throwable failure) {}
}
