package routes;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationFailedEvent;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.context.ApplicationListener;
import org.springframework.scheduling.annotation.EnableScheduling;

/**
 * The runtime: Camel routes from {@code classpath:camel/}, one Java package per pattern, {@code platform} for what they
 * share.
 */
@SpringBootApplication
@ConfigurationPropertiesScan
@EnableScheduling
public class EventBroker {

    private static final int SIGTERM_EXIT_CODE = 143;
    private static final int OUT_OF_MEMORY_EXIT_CODE = 3;

    public static void main(String[] args) {
        Thread.setDefaultUncaughtExceptionHandler(EventBroker::uncaught);
        // Spring would finish the start before it obeys SIGTERM; a start that waits for a server has no work to lose
        Thread abortStart = new Thread(() -> Runtime.getRuntime().halt(SIGTERM_EXIT_CODE), "abort-start");
        Runtime.getRuntime().addShutdownHook(abortStart);
        SpringApplication application = new SpringApplication(EventBroker.class);
        application.addListeners((ApplicationListener<ApplicationFailedEvent>) event -> started(abortStart));
        application.run(args);
        started(abortStart);
    }

    /**
     * Ends the JVM when an uncaught error shows that it is out of memory: its threads would silently stop working. A
     * record or request that needs too much memory never gets here: its consumer or HTTP thread handles the error.
     */
    private static void uncaught(Thread thread, Throwable failure) {
        if (failure instanceof OutOfMemoryError) {
            Runtime.getRuntime().halt(OUT_OF_MEMORY_EXIT_CODE);
        }
        failure.printStackTrace();
    }

    private static void started(Thread abortStart) {
        try {
            Runtime.getRuntime().removeShutdownHook(abortStart);
        } catch (IllegalStateException e) {
            // the signal has just arrived and ends the process
        }
    }
}
