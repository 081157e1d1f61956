package routes.deadletter;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import org.apache.camel.Exchange;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.Violation;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;

/** The bytes of a part of a letter, whole, whatever they are: a file for the caller, and nothing that a browser would show. */
@Component("deadLetterContent")
class DeadLetterContent {

    /** What is in memory of a part, of which there may be 64 MiB. */
    private static final int PIECE = 1 << 20;

    private static final String NUMBER = "number";

    private final JdbcClient jdbc;

    DeadLetterContent(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    private enum Part {
        VALUE("value", "value", false),
        KEY("key", "key", false),
        HEADER("header", "headers[least(2 * :number::bigint + 2, 2147483647)::int]", true),
        EDITED_VALUE("editedValue", "edited_value", true),
        ERROR_STACK("errorStack", "convert_to(error_stack, 'UTF8')", false);

        private final String code;
        private final String column;
        private final boolean needsNumber;

        Part(String code, String column, boolean needsNumber) {
            this.code = code;
            this.column = column;
            this.needsNumber = needsNumber;
        }

        /** The contract has seen to it that there is one. */
        private static Part of(String code) {
            return Arrays.stream(values())
                    .filter(part -> part.code.equals(code))
                    .findFirst()
                    .orElseThrow();
        }

        private boolean takesNumber() {
            return needsNumber || this == ERROR_STACK;
        }

        private boolean isOfAnAttempt(Long number) {
            return this == EDITED_VALUE || this == ERROR_STACK && number != null;
        }
    }

    /** A letter's part: of a header the number is its place, of what belongs to a reprocessing the timestamp of that. */
    private record Place(String tenant, long letter, Part part, Long number) {

        private String sql(String select) {
            return "select " + select.formatted(part.column) + " from "
                    + (part.isOfAnAttempt(number)
                            ? "dead_letter_attempt where tenant = :tenant and letter = :letter and reprocess_timestamp = :number"
                            : "dead_letter where tenant = :tenant and seq = :letter");
        }
    }

    /**
     * Replaces the body by the bytes, which are read while they are sent, or not at all for a HEAD.
     *
     * @throws ProblemException 404 when the caller has no such letter, or the letter no such part
     */
    public void download(@org.apache.camel.Header("id") String id, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Part part = Part.of(request.text("part"));
        Long number = number(request.number(NUMBER), part);
        String tenant = request.caller().tenant();
        long letter = jdbc.sql("select seq from dead_letter where tenant = ? and id = ?")
                .params(tenant, id)
                .query(Long.class)
                .optional()
                .orElseThrow(DeadLetterQueries::noSuchDeadLetter);
        Place place = new Place(tenant, letter, part, number);
        Integer bytes = statement(place, "octet_length(%s)")
                .query((row, n) -> row.getObject(1, Integer.class))
                .optional()
                .orElse(null);
        if (bytes == null) {
            throw new ProblemException(404, "the dead letter has no such part");
        }
        exchange.getMessage().setHeader(HttpHeaders.CONTENT_LENGTH, bytes);
        exchange.getMessage().setHeader(HttpHeaders.CONTENT_TYPE, MediaType.APPLICATION_OCTET_STREAM_VALUE);
        exchange.getMessage()
                .setHeader(HttpHeaders.CONTENT_DISPOSITION, "attachment; filename=\"" + id + "." + part.code + "\"");
        if (HttpRequest.isHead(exchange)) {
            exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
            exchange.getMessage().setBody(null);
            return;
        }
        exchange.getMessage().setBody(new SequenceInputStream(new Pieces(place, bytes)));
        // Camel ends a response whose body fails as if it were whole. By its length a caller sees that it is not, and
        // that nothing more comes, by the connection's end.
        exchange.getMessage().setHeader(HttpHeaders.CONNECTION, "close");
    }

    private static Long number(Long number, Part part) {
        if (number == null && part.needsNumber) {
            throw new ProblemException(
                    List.of(new Violation("query parameter " + NUMBER, "is required for part=" + part.code)));
        }
        if (number != null && !part.takesNumber()) {
            throw new ProblemException(
                    List.of(new Violation("query parameter " + NUMBER, "is not for part=" + part.code)));
        }
        return number;
    }

    private JdbcClient.StatementSpec statement(Place place, String select) {
        return jdbc.sql(place.sql(select))
                .param("tenant", place.tenant())
                .param("letter", place.letter())
                .param(NUMBER, place.number());
    }

    private final class Pieces implements Enumeration<InputStream> {

        private final Place place;
        private final int bytes;
        private int position;

        private Pieces(Place place, int bytes) {
            this.place = place;
            this.bytes = bytes;
        }

        @Override
        public boolean hasMoreElements() {
            return position < bytes;
        }

        @Override
        public InputStream nextElement() {
            byte[] piece = statement(place, "substring(%s from :from for " + PIECE + ")")
                    .param("from", position + 1)
                    .query((row, n) -> row.getBytes(1))
                    .single();
            position += PIECE;
            return new ByteArrayInputStream(piece);
        }
    }
}
