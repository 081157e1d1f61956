package bench;

import java.io.IOException;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.springframework.boot.SpringApplication;
import routes.EventBroker;

/**
 * Runs the whole runtime as shipped. Between {@code stop} and {@code start} the routes that read topics are stopped.
 */
final class CommandRoutes implements Side {

    private final CamelContext camel;

    private CommandRoutes(CamelContext camel) {
        this.camel = camel;
    }

    /** @param args options of the runtime */
    public static void main(String[] args) throws IOException {
        Side.serve(new CommandRoutes(
                new SpringApplication(EventBroker.class).run(args).getBean(CamelContext.class)));
    }

    @Override
    public void start(String source, String sink, String group) throws Exception {
        for (String route : readers()) {
            camel.getRouteController().startRoute(route);
        }
    }

    @Override
    public void stop() throws Exception {
        for (String route : readers()) {
            camel.getRouteController().stopRoute(route);
        }
    }

    private List<String> readers() {
        return camel.getRoutes().stream()
                .filter(route -> route.getEndpoint() instanceof KafkaEndpoint)
                .map(Route::getRouteId)
                .toList();
    }
}
