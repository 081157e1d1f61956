package routes.fhir;

import routes.platform.error.ProblemException;

/** Reports a method that the path does not take; the answer names those that it takes. */
class MethodNotAllowed extends ProblemException {

    private final String methods;

    /** @param methods such as {@code GET, HEAD} */
    MethodNotAllowed(String place, String methods) {
        super(405, place + "the path takes the methods " + methods);
        this.methods = methods;
    }

    String methods() {
        return methods;
    }
}
