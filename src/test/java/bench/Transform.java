package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.camel.Body;
import routes.platform.Json;
import routes.platform.error.ProblemException;

/** Does every side's work on a record: reads the JSON, marks the prescription as requested, writes it. */
public final class Transform {

    /** @throws ProblemException for a poison message: the value is not one JSON object */
    public JsonNode read(@Body byte[] value) {
        return Json.readObject(value);
    }

    public byte[] write(@Body JsonNode event) {
        ((ObjectNode) event.path("payload")).put("status", "requested");
        return Json.write(event);
    }
}
