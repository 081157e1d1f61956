package routes.fhir;

/**
 * Receives the elements of a body in their order. JSON and XML give the same elements: a resource is an object with a
 * {@code resourceType}, and the extensions of a primitive element are those of an object {@code _name}.
 */
interface FhirElements {

    /** How an element may stand in its parent. XML does not tell. */
    enum Place {
        SINGLE,
        ITEM,
        UNKNOWN
    }

    /** Begins an object. */
    void begin(String name, Place place);

    /**
     * A primitive element.
     *
     * @param text null for a number, a boolean or null in JSON
     */
    void value(String name, String text, Place place);

    /** Ends the object that began last. */
    void end();

    /** Whether the text of a primitive element matters; it may be large. */
    default boolean wants(String name) {
        return true;
    }
}
