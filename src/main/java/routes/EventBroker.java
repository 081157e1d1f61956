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
    private static final int OUT_OF_MEMORY_EXIT_CODE = 3;

    public static void main(String[] args) {
        Thread.setDefaultUncaughtExceptionHandler(EventBroker::uncaught);
        // SIGTERM while the start waits for a server: Spring would first let the start end. Nobody has been promised
        // anything yet.
        Thread breakOff = new Thread(() -> Runtime.getRuntime().halt(SIGTERM_EXIT_CODE), "break off the start");
        Runtime.getRuntime().addShutdownHook(breakOff);
        SpringApplication application = new SpringApplication(EventBroker.class);
        application.addListeners((ApplicationListener<ApplicationFailedEvent>) event -> started(breakOff));
        application.run(args);
        started(breakOff);
    }

    /**
     * What asks for too much memory for one record or request has its own answer, and the JVM does not end for it. A thread that ends for
     * it would leave its work undone without a word.
     */
    private static void uncaught(Thread thread, Throwable failure) {
        if (failure instanceof OutOfMemoryError) {
            Runtime.getRuntime().halt(OUT_OF_MEMORY_EXIT_CODE);
        }
        failure.printStackTrace();
    }

    private static void started(Thread breakOff) {
        try {
            Runtime.getRuntime().removeShutdownHook(breakOff);
        } catch (IllegalStateException e) {
            // the signal came just now, and ends the process
        }
    }
}
