package routes.platform.health;

import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.stereotype.Component;
import routes.platform.avro.SchemaRegistry;

/** Checks that the schema registry answers. {@code ready} does not include it: known schemas stay usable without it. */
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
