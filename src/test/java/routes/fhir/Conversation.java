package routes.fhir;

import java.util.function.Consumer;

/**
 * The steps of a client with one target.
 *
 * @param name what they are about
 */
record Conversation(String name, Consumer<FhirCaller> steps) {

    @Override
    public String toString() {
        return name;
    }
}
