package routes.fhir;

import java.io.IOException;

/**
 * A place in a resource that is read from its beginning to its end, in JSON or XML. It skips the elements that a
 * visitor does not read.
 */
interface FhirCursor {

    /** Reads an element, if its name is of interest. */
    interface Visitor {
        void visit(String name) throws IOException;
    }

    /** Reads a resource from its beginning. */
    interface Reading {
        void read(FhirCursor whole) throws IOException;
    }

    /**
     * Visits the elements inside this one. A list counts as that many elements of one name.
     *
     * @throws IOException when the text is malformed
     */
    void children(Visitor visitor) throws IOException;

    /**
     * Visits the elements of the resource that this element holds.
     *
     * @throws IOException when the text is malformed
     */
    void resource(Visitor visitor) throws IOException;

    /** Returns the primitive value of this element, or null. */
    String value() throws IOException;
}
