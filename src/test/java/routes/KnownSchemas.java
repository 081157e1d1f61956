package routes;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.avro.Schema;
import org.springframework.web.client.RestClient;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.avro.SchemaRegistry;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.AvroSchema;
import routes.platform.contract.Channel;
import routes.platform.error.UnknownSchemaException;

/**
 * A registry that has answered for every schema of the contract: ids from 1. Tests add schemas of others, or let it be
 * down.
 */
public final class KnownSchemas extends SchemaRegistry {

    private final List<AvroSchema> ours = new ArrayList<>();
    private final List<Schema> schemas = new ArrayList<>();
    private final Set<Integer> foreign = new HashSet<>();
    private boolean down;

    public KnownSchemas(AsyncApi contract) {
        super(RestClient.create());
        contract.channels().stream()
                .map(Channel::avro)
                .filter(Objects::nonNull)
                .distinct()
                .forEach(schema -> {
                    ours.add(schema);
                    add(schema.text());
                });
    }

    /** The id that a schema gets. */
    public int add(String text) {
        schemas.add(new Schema.Parser().parse(text));
        return schemas.size();
    }

    /** The id that a schema gets which is on none of the subjects of the contract. */
    public int addForeign(String text) {
        int id = add(text);
        foreign.add(id);
        return id;
    }

    /** From now on it does not answer. */
    public void stop() {
        down = true;
    }

    @Override
    public Schema schema(int id, String subject) throws RegistryUnavailableException {
        requireUp();
        if (id < 1 || id > schemas.size()) {
            throw new UnknownSchemaException(id);
        }
        if (foreign.contains(id)) {
            throw new UnknownSchemaException(id, subject);
        }
        return schemas.get(id - 1);
    }

    @Override
    public Optional<Integer> id(AvroSchema schema) throws RegistryUnavailableException {
        requireUp();
        return Optional.of(ours.indexOf(schema) + 1);
    }

    private void requireUp() throws RegistryUnavailableException {
        if (down) {
            throw new RegistryUnavailableException("down");
        }
    }
}
