package routes.faults;

import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;

/** Produces transactions, and aborts every third one after its records are on the topics. */
final class Transactions implements AutoCloseable {

    private static final int LARGEST = 20;

    final Load committed;
    final Load aborted;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Random random = new Random();
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private final Thread thread;
    private volatile boolean stopped;
    private int commits;
    private int aborts;

    Transactions(String brokers, Duration pause) {
        producer = Load.producer(
                brokers, Map.of("transactional.id", "faults-" + UUID.randomUUID(), "transaction.timeout.ms", 10_000));
        committed = new Load("committed", producer);
        aborted = new Load("aborted", producer);
        producer.initTransactions();
        thread = new Thread(() -> {
            try {
                while (!stopped) {
                    transaction();
                    LockSupport.parkNanos(pause.toNanos());
                }
            } catch (RuntimeException e) {
                failure.set(e);
            }
        });
        thread.start();
    }

    int commits() {
        return commits;
    }

    int aborts() {
        return aborts;
    }

    private void transaction() {
        boolean abort = random.nextInt(3) == 0;
        send(abort ? aborted : committed);
        if (abort) {
            producer.abortTransaction();
            aborts++;
        } else {
            producer.commitTransaction();
            commits++;
        }
    }

    private void send(Load load) {
        producer.beginTransaction();
        for (int left = 1 + random.nextInt(LARGEST); left > 0; left--) {
            load.sendOne();
        }
        // an abort drops records that are not in flight
        producer.flush();
    }

    /** Ends as a killed producer does, and leaves a transaction that the brokers must abort. */
    void finishWithOneOpen() throws Exception {
        stopped = true;
        thread.join();
        if (failure.get() != null) {
            throw failure.get();
        }
        send(aborted);
        producer.close(Duration.ZERO);
    }

    @Override
    public void close() {
        stopped = true;
        producer.close(Duration.ZERO);
    }
}
