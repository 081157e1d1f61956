package routes.fhir;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The parts of a resource in a server's answer that tell of versions.
 *
 * @param source {@code meta.source}, such as {@code https://clinic.example#a1B2c3D4e5F6g7H8}, or null
 * @param codes of the issues, when it is an OperationOutcome; HAPI says with them whether it made a version
 * @param entries when it is a Bundle
 */
record AnsweredResource(String source, Set<String> codes, List<Entry> entries) {

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
        switch (firstLetter(body)) {
            case 0 -> {
                return NONE;
            }
            case '<' -> XmlCursor.read(body, whole -> read.read(whole, true));
            default -> JsonCursor.read(body, whole -> read.read(whole, true));
        }
        return read.build();
    }

    /** Returns the first letter behind blanks and a byte order mark, or 0. */
    private static int firstLetter(byte[] body) {
        for (byte letter : body) {
            if (letter > ' ') {
                return letter;
            }
        }
        return 0;
    }

    private static final class Builder {

        private String source;
        private final Set<String> codes = new HashSet<>();
        private final List<Entry> entries = new ArrayList<>();

        AnsweredResource build() {
            return new AnsweredResource(source, codes, entries);
        }

        /** @param withEntries false within an entry: a bundle in a bundle is data */
        void read(FhirCursor in, boolean withEntries) throws IOException {
            in.resource(name -> {
                switch (name) {
                    case "meta" -> in.children(child -> source = child.equals("source") ? in.value() : source);
                    case "issue" -> readCodes(in);
                    case "entry" -> {
                        if (withEntries) {
                            entries.add(entry(in));
                        }
                    }
                    default -> {
                        // of no interest
                    }
                }
            });
        }

        private void readCodes(FhirCursor in) throws IOException {
            in.children(part -> {
                if (part.equals("details")) {
                    in.children(detail -> {
                        if (detail.equals("coding")) {
                            in.children(coding -> {
                                if (coding.equals("code")) {
                                    codes.add(in.value());
                                }
                            });
                        }
                    });
                }
            });
        }

        private static Entry entry(FhirCursor in) throws IOException {
            String[] text = new String[2];
            Builder resource = new Builder();
            Builder outcome = new Builder();
            in.children(part -> {
                if (part.equals("resource")) {
                    resource.read(in, false);
                } else if (part.equals("response")) {
                    in.children(name -> {
                        switch (name) {
                            case "status" -> text[0] = in.value();
                            case "location" -> text[1] = in.value();
                            case "outcome" -> outcome.read(in, false);
                            default -> {
                                // of no interest
                            }
                        }
                    });
                }
            });
            return new Entry(text[0], text[1], resource.build(), outcome.build());
        }
    }
}
