package routes.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.springframework.jdbc.core.JdbcTemplate;
import sandbox.Servers;

/**
 * Has the servers of a test class, instances with the routes of {@link FaultEffects}, and clients that read their
 * effects.
 */
abstract class DeliveryFaults {

    static Servers servers;
    static String brokers;
    static Admin admin;
    static JdbcTemplate jdbc;
    static Outcome outcome;

    final List<Instance> instances = new ArrayList<>();

    static void start(Servers own) throws Exception {
        servers = own;
        brokers = Clients.brokers(servers);
        admin = Admin.create(Map.of("bootstrap.servers", brokers));
        jdbc = new JdbcTemplate(Clients.database(servers));
        // creates the topics and the other tables
        try (Instance first = new Instance(servers)) {
            first.ready();
        }
        FaultEffects.createTables(jdbc);
        outcome = new Outcome(servers, admin, jdbc);
    }

    @AfterAll
    static void stopServers() {
        admin.close();
        servers.close();
    }

    @AfterEach
    void stopInstances() {
        instances.forEach(Instance::close);
    }

    /** Starts another instance, and waits until it is ready. */
    Instance instance(String... environment) {
        Instance instance = new Instance(servers, environment);
        instances.add(instance);
        instance.ready();
        return instance;
    }
}
