package routes.platform.kafka;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import routes.platform.error.FailureClassifier;

/** Hands over the records of one key, one by one. */
final class KeyLane extends Lane {

    KeyLane(Object key, Consumer<Lane> turn) {
        super(key, turn);
    }

    @Override
    List<OffsetWindow.Entry> next(LongSupplier nanos) {
        return List.of(entries.peek());
    }

    @Override
    boolean narrow(Throwable failure, int size, FailureClassifier classifier) {
        return false;
    }

    @Override
    void succeeded(LongSupplier nanos) {}
}
