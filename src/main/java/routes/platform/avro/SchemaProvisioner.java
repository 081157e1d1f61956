package routes.platform.avro;

import java.time.Duration;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.stereotype.Component;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.AvroSchema;
import routes.platform.contract.Channel;

/** Registers the schemas of the contract before the first route starts. */
@Component
class SchemaProvisioner implements SmartInitializingSingleton {

    private static final Logger LOG = LoggerFactory.getLogger(SchemaProvisioner.class);
    private static final long PAUSE_MS = 500;

    private final AsyncApi contract;
    private final SchemaRegistry registry;
    private final Settings settings;

    SchemaProvisioner(AsyncApi contract, SchemaRegistry registry, Settings settings) {
        this.contract = contract;
        this.registry = registry;
        this.settings = settings;
    }

    /**
     * @param provision the reaction to an unregistered schema: register it (create), refuse to start (verify), or
     *     ignore it (off)
     * @param timeout the longest wait for the registry before the start fails
     */
    @ConfigurationProperties("event-broker.schemas")
    record Settings(@DefaultValue("create") Provision provision, @DefaultValue("60s") Duration timeout) {}

    enum Provision {
        CREATE,
        VERIFY,
        OFF
    }

    @Override
    public void afterSingletonsInstantiated() {
        if (settings.provision() == Provision.OFF) {
            return;
        }
        contract.channels().stream()
                .map(Channel::avro)
                .filter(Objects::nonNull)
                .distinct()
                .forEach(this::provision);
    }

    /** Retries until the timeout, because the registry may be starting, too. */
    void provision(AvroSchema schema) {
        long deadline = System.nanoTime() + settings.timeout().toNanos();
        while (true) {
            try {
                attempt(schema);
                return;
            } catch (RegistryUnavailableException e) {
                if (System.nanoTime() > deadline) {
                    throw new SchemaProvisioningException(
                            "%s (subject %s, tried for %d s): is event-broker.schema-registry.url right?"
                                    .formatted(
                                            e.getMessage(),
                                            schema.subject(),
                                            settings.timeout().toSeconds()),
                            e);
                }
            }
            try {
                Thread.sleep(PAUSE_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new SchemaProvisioningException("registering schemas was interrupted");
            }
        }
    }

    private void attempt(AvroSchema schema) throws RegistryUnavailableException {
        if (settings.provision() == Provision.CREATE) {
            registry.register(schema);
            LOG.info("the schema of subject {} is registered", schema.subject());
        } else if (registry.id(schema).isEmpty()) {
            throw new SchemaProvisioningException("the schema of subject " + schema.subject()
                    + " is not registered (event-broker.schemas.provision=verify does not register it)");
        }
    }
}
