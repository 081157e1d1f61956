package routes.platform.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.parameters.Parameter;
import java.io.IOException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.core.io.ClassPathResource;
import routes.platform.Violation;

/** Reads every parameter of the contract from valid, nearly valid and hostile texts. */
class ParametersTest {

    static final OpenApi CONTRACT = contract();

    private static OpenApi contract() {
        try {
            return new OpenApi(new ClassPathResource("contract/openapi.yaml"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    record Of(Operation operation, Parameter parameter) {

        Optional<Object> read(String text, List<Violation> wrong) {
            Map<String, String> sent = new HashMap<>();
            sent.put(parameter.getName(), text);
            List<Violation> all = new ArrayList<>();
            Map<String, Object> values =
                    CONTRACT.operation(operation.getOperationId()).read(parameter.getIn(), sent, all);
            all.stream()
                    .filter(violation -> violation.place().endsWith(" " + parameter.getName()))
                    .forEach(wrong::add);
            return Optional.ofNullable(values.get(parameter.getName()));
        }

        @Override
        public String toString() {
            return operation.getOperationId() + " " + parameter.getIn() + " " + parameter.getName();
        }
    }

    static Stream<Of> parameters() {
        return CONTRACT.operations().flatMap(operation -> operation.getParameters().stream()
                .map(parameter -> new Of(operation, parameter)));
    }

    /** The text of a value, written again. */
    private static boolean isSpelling(String text, Object value) {
        if (value instanceof Long millis && !text.matches("-?[0-9]+")) {
            return OffsetDateTime.parse(text).toInstant().toEpochMilli() == millis;
        }
        return String.valueOf(value).equals(text)
                || value instanceof String id && id.length() == 36 && id.equalsIgnoreCase(text);
    }

    @ParameterizedTest
    @MethodSource("parameters")
    void haveOneSpellingOrAreRejected(Of of) {
        texts(of.parameter()).forEach(text -> {
            List<Violation> wrong = new ArrayList<>();
            Optional<Object> value = of.read(text, wrong);

            assertThat(value.isPresent())
                    .as("either rejected or read: <%s>", text)
                    .isEqualTo(wrong.isEmpty());
            value.ifPresent(read -> assertThat(isSpelling(text, read))
                    .as("%s of <%s>", read, text)
                    .isTrue());
            assertThat(wrong).allSatisfy(violation -> assertThat(violation.message())
                    .as("reported without the value: <%s>", text)
                    .doesNotContain("5ECRE7")
                    .doesNotContain("as its schema says by")
                    .doesNotContain("as the pattern"));
        });
    }

    /** Texts for every type, which every parameter gets; and each of them with an inserted character. */
    private static Stream<String> texts(Parameter parameter) {
        Random random = new Random(parameter.getName().hashCode());
        String[] extras = {" ", "\t", "\n", "\u00a0", "\u0000", "0", "+", "%", "٣", "\ufeff", "A"};
        return plain(parameter)
                .flatMap(text -> Stream.concat(
                        Stream.of(text, " " + text, text + " ", text + "\n", text.toUpperCase()),
                        Stream.generate(() -> {
                                    int at = random.nextInt(text.length() + 1);
                                    return text.substring(0, at)
                                            + extras[random.nextInt(extras.length)]
                                            + text.substring(at);
                                })
                                .limit(8)));
    }

    static Stream<String> plain(Parameter parameter) {
        List<String> texts = new ArrayList<>(List.of(
                "",
                "0",
                "1",
                "5",
                "05",
                "+5",
                "-5",
                "500",
                "501",
                "5.0",
                "5e0",
                "0x5",
                "5L",
                "1_000",
                "٥",
                "９",
                "99999999999999999999",
                "-9223372036854775808",
                "5 ",
                "true ",
                "true",
                "false",
                "TRUE",
                "True",
                "yes",
                "on",
                "null",
                "undefined",
                "NaN",
                "[]",
                "{}",
                "a,b",
                "5ECRE7",
                "' or 1=1 --",
                "../../etc",
                "<script>5ECRE7</script>",
                "\u0000",
                "5ECRE7\u0000",
                "5ECRE7\n",
                "5ECRE7\u0085",
                "\u2028",
                "\ufffd",
                "x".repeat(256),
                "x".repeat(257),
                "x".repeat(100_000),
                "😀".repeat(256),
                "0190f5fe-7f3c-7a7e-8000-00805f9b34fb",
                "0190F5FE-7F3C-7A7E-8000-00805F9B34FB",
                "0190f5fe7f3c7a7e800000805f9b34fb",
                "1-1-1-1-1",
                "{0190f5fe-7f3c-7a7e-8000-00805f9b34fb}",
                "1760000000000",
                "2026-01-31T08:30:00Z",
                "2026-01-31T08:30:00+01:00",
                "2026-01-31T08:30:00 01:00",
                "2026-01-31T24:00:00Z",
                "2026-02-30T00:00:00Z",
                "2026-01-31T08:30:00",
                "2026-01-31",
                "+999999999-12-31T23:59:59Z",
                "1760000000000.patient",
                "1.2.3",
                "1.2",
                "01.2.3"));
        if (parameter.getSchema().getEnum() != null) {
            parameter.getSchema().getEnum().forEach(one -> texts.add(one.toString()));
        }
        return texts.stream();
    }

    @Test
    void haveTheirDefaultsWhenAbsent() {
        assertThat(CONTRACT.operation("listActivity").read("query", Map.of(), new ArrayList<>()))
                .containsExactlyEntriesOf(Map.of("limit", 50L));
        assertThat(CONTRACT.operation("reprocessDeadLetters").read("query", Map.of(), new ArrayList<>()))
                .containsExactlyEntriesOf(Map.of("dryRun", false));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "listActivity, limit, 0, query parameter limit: must be at least 1",
                "listActivity, limit, 501, query parameter limit: must be at most 500",
                "listActivity, limit, \"5 \", query parameter limit: must be a whole number from 1 to 500",
                "listActivity, cursor, x, query parameter cursor: must be the cursor of the Link header of the previous page",
                "listActivity, tenant, \"\", \"query parameter tenant: must be 1 to 256 characters, not all of them blank, and none a control character\"",
                "reprocessDeadLetters, dryRun, \"true \", query parameter dryRun: must be true or false",
                "listPrescriptions, status, x, \"query parameter status: must be one of active, on-hold, cancelled, completed\"",
                "getPatient, asOf, x, \"query parameter asOf: must be epoch milliseconds, or a time such as 2026-01-31T08:30:00Z\"",
                "getPatient, asOf, 2026-01-31T08:30:00 01:00, query parameter asOf: has a space where a + may be meant: write + as %2B"
            })
    void sayTheBoundAndTheValuesThatThereAre(String operation, String parameter, String text, String error) {
        List<Violation> wrong = new ArrayList<>();

        CONTRACT.operation(operation).read("query", Map.of(parameter, text), wrong);

        assertThat(wrong).extracting(Violation::toString).containsExactly(error);
    }
}
