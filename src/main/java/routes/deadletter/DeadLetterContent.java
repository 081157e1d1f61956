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

/** Sends one part of a dead letter whole, as an attachment that no browser renders. */
@Component("deadLetterContent")
class DeadLetterContent {

    /** Bytes in memory at a time; a part may have 64 MiB. */
    private static final int CHUNK = 1 << 20;

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

        /** The contract allows no other value. */
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

    /** @param number the position of a header, or the timestamp of a reprocessing; null for other parts */
    private record PartLocation(String tenant, long letter, Part part, Long number) {

        private String sql(String select) {
            return "select " + select.formatted(part.column) + " from "
                    + (part.isOfAnAttempt(number)
                            ? "dead_letter_attempt where tenant = :tenant and letter = :letter and reprocess_timestamp = :number"
                            : "dead_letter where tenant = :tenant and seq = :letter");
        }
    }

    /**
     * Sets the body to a stream that reads the part from the database in chunks. A HEAD request reads none.
     *
     * @throws ProblemException 404 when the caller has no such dead letter, or it has no such part
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
        PartLocation place = new PartLocation(tenant, letter, part, number);
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
        exchange.getMessage().setBody(new SequenceInputStream(new Chunks(place, bytes)));
        // Camel ends a failed body like a complete one. From the length the caller knows that the body is short, and
        // from the closed connection that no more follows.
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

    private JdbcClient.StatementSpec statement(PartLocation place, String select) {
        return jdbc.sql(place.sql(select))
                .param("tenant", place.tenant())
                .param("letter", place.letter())
                .param(NUMBER, place.number());
    }

    private final class Chunks implements Enumeration<InputStream> {

        private final PartLocation place;
        private final int bytes;
        private int position;

        private Chunks(PartLocation place, int bytes) {
            this.place = place;
            this.bytes = bytes;
        }

        @Override
        public boolean hasMoreElements() {
            return position < bytes;
        }

        @Override
        public InputStream nextElement() {
            byte[] chunk = statement(place, "substring(%s from :from for " + CHUNK + ")")
                    .param("from", position + 1)
                    .query((row, n) -> row.getBytes(1))
                    .single();
            position += CHUNK;
            return new ByteArrayInputStream(chunk);
        }
    }
}
