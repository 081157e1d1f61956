package bench;

import java.io.IOException;
import org.springframework.boot.SpringApplication;
import org.springframework.context.SmartLifecycle;
import routes.EventBroker;

/** Runs the runtime's own relay from {@code start} to {@code stop}, in the whole runtime as shipped. */
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
