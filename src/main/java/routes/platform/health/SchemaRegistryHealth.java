package routes.platform.health;

import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.stereotype.Component;
import routes.platform.avro.SchemaRegistry;

/** Whether the schema registry answers. It is no part of {@code ready}: what is known of it goes on without it. */
@Component("schemaRegistryHealthIndicator") // "schemaRegistry" is the registry
class SchemaRegistryHealth extends AbstractHealthIndicator {

    private final SchemaRegistry registry;

    SchemaRegistryHealth(SchemaRegistry registry) {
        super("the schema registry does not answer");
        this.registry = registry;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) throws Exception {
        registry.ping();
        builder.up();
    }
}
