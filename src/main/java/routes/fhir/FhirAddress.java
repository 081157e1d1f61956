package routes.fhir;

/**
 * The part of the server that a URL addresses.
 *
 * @param form the kind of URL
 * @param type of the resources; null for all types
 * @param id of the resource, or of the compartment; null for all resources
 * @param operation such as {@code $validate}; null for the interactions of every server
 */
record FhirAddress(Form form, String type, String id, String operation) {

    /** The kinds of URL, each with its methods. HEAD goes where GET goes. */
    enum Form {
        SYSTEM("GET, HEAD, POST"),
        METADATA("GET, HEAD"),
        SYSTEM_HISTORY("GET, HEAD"),
        TYPE("GET, HEAD, POST, PUT, PATCH, DELETE"),
        SEARCH("GET, HEAD, POST"),
        TYPE_HISTORY("GET, HEAD"),
        INSTANCE("GET, HEAD, PUT, PATCH, DELETE"),
        INSTANCE_HISTORY("GET, HEAD"),
        VERSION("GET, HEAD"),
        COMPARTMENT("GET, HEAD"),
        OPERATION("GET, HEAD, POST");

        private final String methods;

        Form(String methods) {
            this.methods = methods;
        }

        boolean takes(String method) {
            return (", " + methods + ", ").contains(", " + method + ", ");
        }

        /** Whether its reads and writes are those of resources. */
        boolean isOfResources() {
            return this == TYPE || this == INSTANCE;
        }

        String methods() {
            return methods;
        }
    }
}
