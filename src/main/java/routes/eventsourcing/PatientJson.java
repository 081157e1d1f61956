package routes.eventsourcing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.springframework.stereotype.Component;

/** Converts event data and patient views to and from the JSON of their columns. */
@Component
class PatientJson {

    private static final TypeReference<Map<String, String>> FIELDS = new TypeReference<>() {};

    private final ObjectMapper mapper;

    PatientJson(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    Map<String, String> read(String data) {
        try {
            return mapper.readValue(data, FIELDS);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a column that this class wrote is not JSON", e);
        }
    }

    String write(Map<String, ?> fields) {
        try {
            return mapper.writeValueAsString(fields);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of texts and numbers is not JSON", e);
        }
    }
}
