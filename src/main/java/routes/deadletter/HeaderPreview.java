package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.event.RecordHeaders;

/** Selects the headers of a dead letter that fit into an answer, those of the dead letter first. */
@Component
class HeaderPreview {

    /** Limit of a header value. */
    private static final int MAX_VALUE = 1024;

    private static final int MAX_NAME = 256;
    private static final int MAX_HEADERS = 100;
    private static final int MAX_TOTAL = 24 * 1024;

    /** Headers that an answer always has, and the last of each name, which counts. */
    private static final List<byte[]> IMPORTANT = Stream.concat(
                    DeadLetterHeaders.deadLetterOnly(),
                    Stream.of(RecordHeaders.CORRELATION_ID, RecordHeaders.CAUSATION_ID, RecordHeaders.TENANT))
            .map(name -> name.getBytes(StandardCharsets.UTF_8))
            .toList();

    private static final String SELECT =
            """
            select number, name, value, value_bytes from (
                select (place - 1) / 2 as number, place, name, value, value_bytes, name in (:important) as important,
                       row_number() over (partition by name order by place desc) as from_the_last
                from (select place, substring(part from 1 for %d) as name,
                             lead(substring(part from 1 for %d)) over (order by place) as value,
                             lead(octet_length(part)) over (order by place) as value_bytes
                      from dead_letter, unnest(headers) with ordinality as parts(part, place)
                      where tenant = :tenant and seq = :letter) parts
                where place %% 2 = 1) pairs
            order by important and from_the_last = 1 desc, important desc,
                     case when important then -place else place end limit %d"""
                    .formatted(MAX_NAME, MAX_VALUE, MAX_HEADERS);

    private final JdbcClient jdbc;

    HeaderPreview(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** @param number the position among the headers of the dead letter, from 0 */
    record NamedHeader(long number, String name, BytePreview value) {

        private static NamedHeader of(ResultSet row, int n) throws SQLException {
            return new NamedHeader(
                    row.getLong("number"),
                    new String(row.getBytes("name"), StandardCharsets.UTF_8),
                    BytePreview.of(row.getBytes("value"), row.getLong("value_bytes")));
        }

        private int shownBytes() {
            return name.length() + (value == null ? 0 : value.base64().length);
        }
    }

    /** In the order of the dead letter. */
    List<NamedHeader> of(String tenant, long seq) {
        List<NamedHeader> headers = new ArrayList<>();
        int bytes = 0;
        for (NamedHeader header : jdbc.sql(SELECT)
                .param("tenant", tenant)
                .param("letter", seq)
                .param("important", IMPORTANT)
                .query(NamedHeader::of)
                .list()) {
            bytes += header.shownBytes();
            if (bytes <= MAX_TOTAL) {
                headers.add(header);
            }
        }
        headers.sort(Comparator.comparing(NamedHeader::number));
        return headers;
    }
}
