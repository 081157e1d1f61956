package routes.platform.fhir;

import ca.uhn.fhir.parser.DataFormatException;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.NoTypeConversionAvailableException;
import org.apache.camel.TypeConverter;
import org.apache.camel.component.fhir.FhirProducer;
import org.apache.camel.component.fhir.internal.FhirApiName;
import org.apache.camel.support.component.ApiMethod;
import org.apache.camel.support.component.ApiMethodHelper;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.IdType;

/**
 * Calls the server of the tenant that the exchange names, on the thread of the route. Camel's own producer uses one
 * pool of threads for all contexts, and its exceptions repeat arguments and bodies.
 *
 * <p>The headers {@code CamelFhir.*} are the arguments of one call: they end with it.
 */
class TenantFhirProducer extends FhirProducer {

    /** Exchange property: the tenant whose server is called. */
    static final String TENANT = "tenant";

    private static final String ARGUMENTS = "CamelFhir*";

    /** Arguments that are ids in text. */
    private static final Set<String> IDS = Set.of("stringId", "version", "ifVersionMatches");

    private static final Pattern ID = Pattern.compile("[A-Za-z0-9.-]{1,64}");

    private final TenantFhirEndpoint api;
    private final FhirClients clients;

    TenantFhirProducer(TenantFhirEndpoint api, FhirClients clients) {
        super(api);
        this.api = api;
        this.clients = clients;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        String tenant = exchange.getProperty(TENANT, String.class);
        try {
            exchange.getMessage().setBody(call(exchange, tenant));
        } catch (Exception e) {
            exchange.setException(failure(e, failures(tenant)));
        }
        exchange.getMessage().removeHeaders(ARGUMENTS);
        callback.done(true);
        return true;
    }

    private Object call(Exchange exchange, String tenant) throws Exception {
        if (tenant == null) {
            throw failures(tenant).misused("the exchange property " + TENANT + " names no tenant");
        }
        IGenericClient client = clients.of(tenant);
        Map<String, Object> arguments = new HashMap<>(api.getConfigurationProperties());
        arguments.putAll(api.getEndpointProperties());
        propertiesHelper.getExchangeProperties(exchange, arguments);
        api.interceptProperties(arguments);
        ApiMethod method = findMethod(exchange, arguments);
        if (method == null) {
            throw exchange.getException();
        }
        if (api.getApiName() == FhirApiName.CREATE && arguments.get("url") == null) {
            throw failures(tenant)
                    .misused("a create needs a condition, because a repeat would create a second resource");
        }
        convert(exchange, method, arguments);
        if (!arguments.entrySet().stream().allMatch(TenantFhirProducer::isUsable)) {
            throw failures(tenant).refused("the id is not one of FHIR");
        }
        return ApiMethodHelper.invokeMethod(api.api(client), method, arguments);
    }

    private static void convert(Exchange exchange, ApiMethod method, Map<String, Object> arguments)
            throws NoTypeConversionAvailableException {
        TypeConverter converter = exchange.getContext().getTypeConverter();
        List<String> names = method.getArgNames();
        for (int i = 0; i < names.size(); i++) {
            Object value = arguments.get(names.get(i));
            Class<?> type = method.getArgTypes().get(i);
            if (value != null && !type.isInstance(value)) {
                arguments.put(
                        names.get(i),
                        type == IIdType.class && value instanceof String id
                                ? new IdType(id)
                                : converter.mandatoryConvertTo(type, exchange, value));
            }
        }
    }

    /** An id becomes a part of the URL as it is. */
    private static boolean isUsable(Map.Entry<String, Object> argument) {
        if (argument.getValue() instanceof IIdType id) {
            return isId(id.getIdPart()) && isId(id.getVersionIdPart());
        }
        return !IDS.contains(argument.getKey()) || isId((String) argument.getValue());
    }

    private static boolean isId(String id) {
        return id == null || ID.matcher(id).matches();
    }

    private static FailureReader failures(String tenant) {
        return new FailureReader(tenant == null ? "?" : tenant, "");
    }

    /** Returns the failure of the client; of any other exception only its class, because its message repeats values. */
    private static FhirFailure failure(Throwable thrown, FailureReader failures) {
        Throwable root = thrown;
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof FhirFailure failure) {
                return failure;
            }
            if (cause instanceof DataFormatException) {
                return failures.refused("the argument is not FHIR R4");
            }
            root = cause;
        }
        return failures.notReadable(root, false);
    }
}
