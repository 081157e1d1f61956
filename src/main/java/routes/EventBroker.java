package routes;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationFailedEvent;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.context.ApplicationListener;
import org.springframework.scheduling.annotation.EnableScheduling;

/** The runtime: Camel routes from {@code classpath:camel/}, one Java package per pattern, {@code platform} for what they share. */
@SpringBootApplication
@ConfigurationPropertiesScan
@EnableScheduling
public class EventBroker {

    private static final int SIGTERM_EXIT_CODE = 143;

    public static void main(String[] args) {
        // SIGTERM while the start waits for a server: Spring would first let the start end. Nobody has been promised
        // anything yet.
        Thread breakOff = new Thread(() -> Runtime.getRuntime().halt(SIGTERM_EXIT_CODE), "break off the start");
        Runtime.getRuntime().addShutdownHook(breakOff);
        SpringApplication application = new SpringApplication(EventBroker.class);
        application.addListeners((ApplicationListener<ApplicationFailedEvent>) event -> started(breakOff));
        application.run(args);
        started(breakOff);
    }

    private static void started(Thread breakOff) {
        try {
            Runtime.getRuntime().removeShutdownHook(breakOff);
        } catch (IllegalStateException e) {
            // the signal came just now, and ends the process
        }
    }
}
