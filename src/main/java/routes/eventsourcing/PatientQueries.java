package routes.eventsourcing;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.Page;

/** Answers queries for a patient: the current view, the state as of an instant, and the history. */
@Component("patientQueries")
class PatientQueries {

    private static final String HISTORY =
            """
            select event_id, event_type as type, event_timestamp as timestamp, partition, "offset", correlation_id, causation_id, data,
                   sort_time, octet_length(data::text) as bytes
            from (select *, """
                    + PatientEventStore.SORT_TIME
                    + """
             as sort_time from patient_event where tenant = :tenant and patient_id = :id) history
            where (:sortTime::bigint is null or (sort_time, partition, "offset") > (:sortTime, :partition, :offset))
              and (:from::bigint is null or event_timestamp >= :from)
              and (:to::bigint is null or event_timestamp < :to)
              and (:type::text is null or event_type = :type)
            order by sort_time, partition, "offset" limit :rows""";

    private final PatientProjection projection;
    private final JdbcClient jdbc;
    private final ObjectMapper mapper;

    PatientQueries(PatientProjection projection, JdbcClient jdbc, ObjectMapper mapper) {
        this.projection = projection;
        this.jdbc = jdbc;
        this.mapper = mapper;
    }

    /**
     * The state of a patient. A field is null until an event sets it.
     *
     * @param createdAt epoch milliseconds of the last patient.profile.created
     * @param addressUpdatedAt epoch milliseconds of the last patient.address.updated
     */
    record Patient(
            String id,
            String firstName,
            String lastName,
            String middleName,
            String dateOfBirth,
            String gender,
            String phone,
            String email,
            String language,
            Address address,
            String mergedInto,
            String deceasedAt,
            Long createdAt,
            Long addressUpdatedAt) {

        static Patient of(String id, JsonNode view) {
            return new Patient(
                    id,
                    text(view, "firstName"),
                    text(view, "lastName"),
                    text(view, "middleName"),
                    text(view, "dateOfBirth"),
                    text(view, "gender"),
                    text(view, "phone"),
                    text(view, "email"),
                    text(view, "language"),
                    Address.of(view),
                    text(view, "mergedInto"),
                    text(view, "deceasedAt"),
                    number(view, PatientState.CREATED_AT),
                    number(view, PatientState.ADDRESS_UPDATED_AT));
        }

        private static Long number(JsonNode view, String field) {
            return view.has(field) ? (Long) view.path(field).longValue() : null;
        }
    }

    record Address(String street, String city, String state, String postalCode, String country) {

        private static final Address NONE = new Address(null, null, null, null, null);

        /** Returns null when no event has set any field. */
        static Address of(JsonNode view) {
            Address address = new Address(
                    text(view, "street"),
                    text(view, "city"),
                    text(view, "state"),
                    text(view, "postalCode"),
                    text(view, "country"));
            return address.equals(NONE) ? null : address;
        }
    }

    /**
     * An event of the history.
     *
     * @param timestamp epoch milliseconds
     * @param data the payload's fields that are not null
     */
    record HistoryEntry(
            UUID eventId,
            String type,
            long timestamp,
            int partition,
            long offset,
            String correlationId,
            String causationId,
            @JsonRawValue String data,
            @JsonIgnore long sortTime,
            @JsonIgnore int bytes) {

        private String cursor() {
            return sortTime + "." + partition + "." + offset;
        }
    }

    /**
     * Returns the current view of a patient. With {@code asOf}, folds the events with a timestamp up to that instant.
     *
     * @throws ProblemException 404 when the caller's tenant has no events of the patient up to then
     */
    public Patient show(@Header("id") String id, Exchange exchange) throws JsonProcessingException {
        HttpRequest request = HttpRequest.of(exchange);
        String tenant = request.caller().tenant();
        Long asOf = request.number("asOf");
        return Patient.of(
                id,
                asOf == null
                        ? currentView(tenant, id)
                        : mapper.valueToTree(
                                projection.asOf(tenant, id, asOf).orElseThrow(PatientQueries::noSuchPatient)));
    }

    private JsonNode currentView(String tenant, String id) throws JsonProcessingException {
        return mapper.readTree(jdbc.sql("select view from patient_view where tenant = ? and patient_id = ?")
                .params(tenant, id)
                .query(String.class)
                .optional()
                .orElseThrow(PatientQueries::noSuchPatient));
    }

    /**
     * Returns a page of a patient's events in their order, unknown types included.
     *
     * @throws ProblemException 404 when the caller's tenant has no events of the patient
     */
    public List<HistoryEntry> history(@Header("id") String id, Exchange exchange) throws JsonProcessingException {
        HttpRequest request = HttpRequest.of(exchange);
        Page page = Page.of(exchange);
        String[] after = page.cursor() == null ? null : page.cursor().split("\\.");
        List<HistoryEntry> entries = jdbc.sql(Page.sized(HISTORY, "sort_time, partition, \"offset\""))
                .param("tenant", request.caller().tenant())
                .param("id", id)
                .param("sortTime", after == null ? null : Long.valueOf(after[0]))
                .param("partition", after == null ? null : Integer.valueOf(after[1]))
                .param("offset", after == null ? null : Long.valueOf(after[2]))
                .param("from", request.number("from"))
                .param("to", request.number("to"))
                .param("type", request.text("type"))
                .param("rows", page.rows())
                .query(HistoryEntry.class)
                .list();
        if (entries.isEmpty()) {
            currentView(request.caller().tenant(), id);
        }
        return page.cut(entries, HistoryEntry::cursor, HistoryEntry::bytes, exchange);
    }

    private static String text(JsonNode view, String field) {
        return view.path(field).textValue();
    }

    private static ProblemException noSuchPatient() {
        return new ProblemException(404, "no such patient");
    }
}
