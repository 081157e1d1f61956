package routes.fhir;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import routes.platform.error.ProblemException;

/**
 * The parts of a resource in a server's answer that tell of versions.
 *
 * @param source {@code meta.source}, such as {@code https://clinic.example#a1B2c3D4e5F6g7H8}, or null
 * @param codes of the issues, when it is an OperationOutcome; HAPI says with them whether it made a version
 * @param entries when it is a Bundle
 */
record AnsweredResource(String source, Set<String> codes, List<Entry> entries) {

    private static final JsonElements JSON = new JsonElements();
    private static final XmlElements XML = new XmlElements();

    static final AnsweredResource NONE = new AnsweredResource(null, Set.of(), List.of());

    /**
     * The answer to one entry of a transaction or a batch.
     *
     * @param status such as {@code 201 Created}, or null
     * @param location such as {@code Patient/1/_history/1}, or null
     * @param resource with the representation, if the server sends one
     * @param outcome with the codes, if the server sends some
     */
    record Entry(String status, String location, AnsweredResource resource, AnsweredResource outcome) {}

    /** Returns the id of the request that made this version: the fragment of its source, or null. */
    String requestId() {
        return requestId(source);
    }

    /** Returns the fragment of a {@code meta.source}, or null. */
    static String requestId(String source) {
        int fragment = source == null ? -1 : source.lastIndexOf('#');
        return fragment < 0 ? null : source.substring(fragment + 1);
    }

    /**
     * Reads a resource in JSON or XML.
     *
     * @param body may be empty
     * @throws IOException when it is malformed; its message repeats nothing
     */
    static AnsweredResource read(byte[] body) throws IOException {
        Builder read = new Builder();
        try {
            switch (firstLetter(body)) {
                case 0 -> {
                    return NONE;
                }
                case '<' -> XML.readResource(body, read);
                default -> JSON.readObject(body, read);
            }
        } catch (ProblemException e) {
            throw new IOException("malformed answer");
        }
        return read.root.build();
    }

    /** Returns the first letter behind blanks, or 0. */
    private static int firstLetter(byte[] body) {
        for (byte letter : body) {
            if (letter > ' ') {
                return letter;
            }
        }
        return 0;
    }

    /** Collects the parts of one resource. */
    private static final class Part {

        private String source;
        private final Set<String> codes = new HashSet<>();
        private final List<Entry> entries = new ArrayList<>();

        AnsweredResource build() {
            return new AnsweredResource(source, codes, entries);
        }

        /** @param element its path within the resource */
        void put(String element, String text) {
            switch (element) {
                case "meta.source" -> source = text;
                case "issue.details.coding.code" -> codes.add(text);
                default -> {
                    // of no interest
                }
            }
        }
    }

    private static final class Builder implements FhirElements {

        private static final String ENTRY = "entry";
        private static final String RESOURCE = "entry.resource.";
        private static final String OUTCOME = "entry.response.outcome.";
        private static final Set<String> WANTED = Set.of("source", "code", "status", "location");

        /** The names of the objects around the place, each with a dot behind it. */
        private final Deque<String> paths = new ArrayDeque<>();

        private final Part root = new Part();
        private String status;
        private String location;
        private Part resource;
        private Part outcome;

        @Override
        public void begin(String name, Place place) {
            String path = paths.isEmpty() ? "" : paths.peek() + name + '.';
            paths.push(path);
            if (path.equals(ENTRY + '.')) {
                status = null;
                location = null;
                resource = new Part();
                outcome = new Part();
            }
        }

        @Override
        public void value(String name, String text, Place place) {
            String element = paths.peek() + name;
            if (element.equals("entry.response.status")) {
                status = text;
            } else if (element.equals("entry.response.location")) {
                location = text;
            } else if (element.startsWith(RESOURCE)) {
                resource.put(element.substring(RESOURCE.length()), text);
            } else if (element.startsWith(OUTCOME)) {
                outcome.put(element.substring(OUTCOME.length()), text);
            } else {
                root.put(element, text);
            }
        }

        @Override
        public void end() {
            if (paths.pop().equals(ENTRY + '.')) {
                root.entries.add(new Entry(status, location, resource.build(), outcome.build()));
            }
        }

        @Override
        public boolean wants(String name) {
            return WANTED.contains(name);
        }
    }
}
