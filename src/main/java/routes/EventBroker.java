package routes;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.scheduling.annotation.EnableScheduling;

/** The runtime: Camel routes from {@code classpath:camel/}, one Java package per pattern, {@code platform} for what they share. */
@SpringBootApplication
@ConfigurationPropertiesScan
@EnableScheduling
public class EventBroker {

    public static void main(String[] args) {
        SpringApplication.run(EventBroker.class, args);
    }
}
