package bench;

import java.io.IOException;
import org.springframework.boot.SpringApplication;
import org.springframework.context.SmartLifecycle;
import routes.EventBroker;

/** The runtime's own relay, in the whole runtime as it ships; it runs from {@code start} to {@code stop}. */
final class OutboxRelaySide implements Side {

    private final SmartLifecycle relay;

    private OutboxRelaySide(SmartLifecycle relay) {
        this.relay = relay;
        relay.stop();
    }

    /** @param args options of the runtime */
    public static void main(String[] args) throws IOException {
        Side.serve(new OutboxRelaySide(
                new SpringApplication(EventBroker.class).run(args).getBean("outboxRelay", SmartLifecycle.class)));
    }

    @Override
    public void start(String source, String sink, String group) {
        relay.start();
    }

    @Override
    public void stop() {
        relay.stop();
    }
}
