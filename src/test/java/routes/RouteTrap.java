package routes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What a route can say that loses messages, repeats effects, breaks the order of a key or lets a stranger in, though
 * Camel takes it without a word. Each has an example, which the rule has to find.
 */
enum RouteTrap {
    A_TOPIC_READ_WITHOUT_THE_CONSUMERS_ERROR_POLICY(
            route -> readsTopic(route)
                    && !route.path("routeConfigurationId").asText().equals("consumer"),
            """
            routeConfigurationId: http
            from: {uri: kafka:t, steps: []}
            """),
    A_DEAD_LETTER_CHANNEL_WHOSE_FAILED_SEND_LOSES_THE_MESSAGE(
            route -> uses(route, "deadLetterChannel"),
            """
            errorHandler: {deadLetterChannel: {deadLetterUri: kafka:t.dlq}}
            from: {uri: direct:a, steps: []}
            """),
    A_RETRY_INSIDE_THE_EXCHANGE_THAT_LETS_ITS_KEY_OVERTAKE_IT(
            route -> any(route, "redeliveryPolicy")
                    .anyMatch(policy ->
                            !policy.path("maximumRedeliveries").asText().equals("0")),
            """
            from: {uri: direct:a, steps: []}
            onException:
              - onException: {redeliveryPolicy: {maximumRedeliveries: "3"}}
            """),
    A_RECORD_THAT_COUNTS_AS_DONE_BEFORE_ITS_WORK_IS(
            route -> readsTopic(route)
                    && (uses(route, "wireTap", "aggregate", "resequence", "threads", "delay", "sample", "onCompletion")
                            || uris(route).anyMatch(uri -> uri.startsWith("seda:") || uri.startsWith("disruptor:"))
                            || any(route, "parallelProcessing").anyMatch(JsonNode::asBoolean)),
            """
            from: {uri: kafka:t, steps: [{to: {uri: seda:later}}]}
            """),
    A_SPLIT_THAT_GOES_ON_AFTER_A_FAILURE_AND_REPORTS_SUCCESS(
            route -> any(route, "split")
                    .anyMatch(split -> !split.path("stopOnException").asBoolean()),
            """
            from: {uri: kafka:t, steps: [{split: {simple: "${body}", steps: []}}]}
            """),
    AN_IDEMPOTENT_CONSUMER_THAT_FORGETS_AFTER_A_THOUSAND_KEYS_OR_A_CRASH(
            route -> uses(route, "idempotentConsumer"),
            """
            from: {uri: kafka:t, steps: [{idempotentConsumer: {simple: "${header.id}"}}]}
            """),
    A_CONSUMER_OPTION_THAT_LOSES_REPEATS_OR_BLOCKS(
            route -> options(route, "kafka:")
                    .anyMatch(options -> hasOne(
                            options,
                            "breakOnFirstError",
                            "allowManualCommit",
                            "autoCommitEnable",
                            "pollOnError",
                            "seekTo",
                            "offsetRepository",
                            "bridgeErrorHandler")),
            """
            from: {uri: kafka:t, parameters: {breakOnFirstError: true}, steps: []}
            """),
    BYTES_THAT_POISON_DOES_NOT_KEEP(
            route -> options(route, "kafka:")
                    .anyMatch(options -> hasOne(
                            options, "keyDeserializer", "valueDeserializer", "keySerializer", "valueSerializer")),
            """
            from: {uri: kafka:t, parameters: {valueDeserializer: a.JsonDeserializer}, steps: []}
            """),
    A_TRANSACTED_PRODUCER_THAT_DOES_NOT_SEND_OFFSETS(
            route -> options(route, "kafka:").anyMatch(options -> hasOne(options, "transacted", "transactionalId")),
            """
            from: {uri: direct:a, steps: [{to: {uri: kafka:t, parameters: {transacted: true}}}]}
            """),
    AN_EVENT_THAT_IS_SENT_WHETHER_OR_NOT_ITS_CHANGE_IS_COMMITTED(
            route -> outboxSteps(route)
                    != any(route, "transacted")
                            .mapToLong(RouteTrap::outboxSteps)
                            .sum(),
            """
            from: {uri: direct:a, steps: [{transacted: {steps: [{to: {uri: direct:b}}]}}, {to: {uri: outbox:t}}]}
            """),
    A_STEP_BESIDE_A_TRANSACTION_THAT_CAMEL_MOVES_TO_ITS_BEGINNING(
            route -> uses(route, "transacted")
                    && (any(route, "transacted").count() > 1
                            || route.path("from").path("steps").size() > 1
                            || any(route, "transacted")
                                    .anyMatch(transacted ->
                                            transacted.path("steps").isEmpty())),
            """
            from: {uri: direct:a, steps: [{bean: {ref: a}}, {transacted: {steps: [{bean: {ref: b}}]}}]}
            """),
    A_HEADER_FILTER_THAT_LETS_STRANGERS_STEER_CAMEL(
            route -> uses(route, "headerFilterStrategy"),
            """
            from: {uri: kafka:t, parameters: {headerFilterStrategy: "#bean:all"}, steps: []}
            """),
    A_WAY_IN_OVER_HTTP_THAT_THE_CONTRACT_GIVES_NO_SCOPE(
            route -> Stream.of(
                                    "platform-http:",
                                    "rest:",
                                    "rest-api:",
                                    "rest-openapi:",
                                    "servlet:",
                                    "jetty:",
                                    "undertow:",
                                    "netty-http:")
                            .anyMatch(fromUri(route)::startsWith)
                    // FHIR's scopes depend on what a request asks for
                    && !route.at("/from/steps/1/bean/ref").asText().equals("fhirAccess"),
            """
            from: {uri: "platform-http:/open", steps: []}
            """),
    A_STREAM_CACHE_THAT_COPIES_EVERY_BODY(
            route -> route.path("streamCache").asBoolean()
                    || route.path("streamCaching").asBoolean(),
            """
            streamCache: "true"
            from: {uri: direct:a, steps: []}
            """),
    A_LOG_OF_PAYLOADS(
            route -> any(route, "log")
                            .anyMatch(
                                    log -> (log.isTextual() ? log : log.path("message"))
                                            .asText()
                                            .matches(
                                                    "(?s).*\\$\\{(body|bodyAs|headers|exchange|messageAs|mandatoryBodyAs)\\b(?!\\.metadata).*"))
                    || uris(route).anyMatch(uri -> uri.startsWith("log:")),
            """
            from: {uri: direct:a, steps: [{log: {message: "got ${body}"}}]}
            """),
    A_SCRIPT_OR_A_SIMPLE_OF_SEVERAL_LINES(
            route -> uses(route, "groovy", "js", "joor", "java")
                    || any(route, "simple")
                            .anyMatch(simple -> expression(simple).strip().contains("\n")),
            """
            from: {uri: direct:a, steps: [{setBody: {groovy: "body + 1"}}]}
            """),
    A_FHIR_CONSUMER_WITHOUT_A_WATERMARK(
            route -> fromUri(route).startsWith("fhir:"),
            """
            from: {uri: "fhir:history/onServer", steps: []}
            """),
    A_DATA_FORMAT_THAT_ONLY_WRITES(
            route -> any(route, "unmarshal")
                    .anyMatch(
                            format -> format.path("custom").path("ref").asText().equals("avro")),
            """
            from: {uri: direct:a, steps: [{unmarshal: {custom: {ref: avro}}}]}
            """),
    A_SAGA_THAT_MAY_SILENTLY_START_ANOTHER(
            route -> any(route, "saga").anyMatch(saga -> !Set.of("REQUIRES_NEW", "MANDATORY")
                    .contains(saga.path("propagation").asText())),
            """
            from: {uri: direct:a, steps: [{saga: {propagation: REQUIRED, steps: []}}]}
            """),
    A_SAGA_THAT_NOBODY_COMPENSATES(
            route -> any(route, "saga")
                            .filter(saga -> saga.path("propagation").asText().equals("REQUIRES_NEW"))
                            .anyMatch(saga ->
                                    !saga.path("completionMode").asText().equals("MANUAL")
                                            || !saga.has("timeout")
                                            || !saga.has("compensation")
                                            || !saga.has("completion"))
                    || uses(route, "saga")
                            && !route.path("routeConfigurationId").asText().equals("sub-route"),
            """
            routeConfigurationId: sub-route
            from: {uri: direct:a, steps: [{saga: {propagation: REQUIRES_NEW, steps: []}}]}
            """),
    A_SECOND_SAGA_OR_A_STEP_BESIDE_IT_THAT_CAMEL_MOVES_INSIDE(
            route -> uses(route, "saga")
                    && (any(route, "saga").count() > 1
                            || route.path("from").path("steps").size() > 1),
            """
            routeConfigurationId: sub-route
            from: {uri: direct:a, steps: [{saga: {propagation: MANDATORY, steps: []}}, {to: {uri: direct:b}}]}
            """),
    A_DURATION_WHOSE_UNIT_DEPENDS_ON_THE_CAMEL_VERSION(
            route -> any(route, "resilience4jConfiguration")
                    .flatMap(configuration -> Stream.of(
                                    "waitDurationInOpenState", "slowCallDurationThreshold", "timeoutDuration")
                            .map(configuration::path))
                    .anyMatch(duration -> duration.asText().matches("\\d+")),
            """
            from: {uri: direct:a, steps: [{circuitBreaker: {resilience4jConfiguration: {waitDurationInOpenState: 60}}}]}
            """);

    private final Predicate<JsonNode> trapped;
    private final String example;

    RouteTrap(Predicate<JsonNode> trapped, String example) {
        this.trapped = trapped;
        this.example = example;
    }

    /** Whether a route falls into it. */
    boolean isIn(JsonNode route) {
        return trapped.test(route);
    }

    /** A route that does. */
    JsonNode example() {
        return RouteYaml.read(example);
    }

    private static boolean readsTopic(JsonNode route) {
        return fromUri(route).startsWith("kafka:");
    }

    private static String fromUri(JsonNode route) {
        return route.path("from").path("uri").asText();
    }

    /** The values of a field anywhere in the route, found in found ones too. */
    private static Stream<JsonNode> any(JsonNode route, String field) {
        List<JsonNode> found = new ArrayList<>();
        collect(route, field, found);
        return found.stream();
    }

    private static void collect(JsonNode node, String field, List<JsonNode> found) {
        if (node.has(field)) {
            found.add(node.get(field));
        }
        node.forEach(child -> collect(child, field, found));
    }

    private static boolean uses(JsonNode route, String... steps) {
        return Stream.of(steps).anyMatch(step -> any(route, step).findAny().isPresent());
    }

    private static Stream<String> uris(JsonNode route) {
        return any(route, "uri").map(JsonNode::asText);
    }

    private static long outboxSteps(JsonNode node) {
        return uris(node).filter(uri -> uri.startsWith("outbox:")).count();
    }

    /** Everything that has a URI: {@code from} and steps. */
    private static Stream<JsonNode> endpoints(JsonNode node) {
        return Stream.concat(
                node.has("uri") ? Stream.of(node) : Stream.empty(),
                Stream.of(node).flatMap(n -> {
                    List<JsonNode> children = new ArrayList<>();
                    n.forEach(children::add);
                    return children.stream().flatMap(RouteTrap::endpoints);
                }));
    }

    private static Stream<JsonNode> options(JsonNode route, String scheme) {
        return endpoints(route)
                .filter(endpoint -> endpoint.path("uri").asText().startsWith(scheme))
                .map(endpoint -> endpoint.has("parameters") ? endpoint.get("parameters") : MissingNode.getInstance());
    }

    private static boolean hasOne(JsonNode options, String... names) {
        return Stream.of(names).anyMatch(options::has);
    }

    private static String expression(JsonNode simple) {
        return simple.isTextual() ? simple.asText() : simple.path("expression").asText();
    }
}
