package routes.fhir;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Records the answers of one target, step by step. What differs between two runs against one server is replaced: the
 * base address, ids, times, ids of pages and of requests.
 */
final class Transcript {

    /** The headers that a FHIR client reads. */
    private static final List<String> HEADERS = List.of(
            "Content-Type", "ETag", "Location", "Content-Location", "Last-Modified", "Preference-Applied", "Allow");

    private static final int NOT_MODIFIED = 304;

    private static final Pattern PAGE = Pattern.compile("_getpages=[^&\"<\\s]*");
    private static final Pattern TIME =
            Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d)");
    private static final Pattern ENCODED_TIME =
            Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d%3A\\d\\d%3A\\d\\d[^&\"\\s]*");
    private static final Pattern UUID = Pattern.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    private static final Pattern REQUEST_ID = Pattern.compile("#[A-Za-z0-9]{16}\\b");
    /** Of a conditional create, HAPI writes the milliseconds where it means the id. */
    private static final Pattern DURATION =
            Pattern.compile("\\d+ ?ms\\b|(?<=conditionally created resource (?:\\\\\"|&quot;))\\d+");

    /** An id that the server has given: all digits, behind a type, or in the element {@code id}. */
    private static final Pattern SERVERS_ID =
            Pattern.compile("((?:\\b|%2F)[A-Z][A-Za-z]+(?:/|%2F)|\"id\": ?\"|<id value=\"|[?&;]_id=)(\\d+)\\b");

    private final String base;
    private final String mark;
    private final Map<String, String> ids = new LinkedHashMap<>();
    private final Map<String, String> steps = new LinkedHashMap<>();
    private final List<String> sent = new ArrayList<>();

    /**
     * @param base the address of the target, without a slash at its end
     * @param mark is in the texts and client-assigned ids of this run alone
     */
    Transcript(String base, String mark) {
        this.base = base;
        this.mark = mark;
    }

    /** Adds an answer to a step. */
    void add(String step, int status, Map<String, List<String>> headers, String body) {
        StringBuilder text = new StringBuilder("HTTP " + status + "\n");
        headers.forEach((name, values) -> sent.add(name + ": " + String.join(", ", values)));
        sent.add(body);
        for (String name : HEADERS) {
            headers.entrySet().stream()
                    .filter(header -> header.getKey().equalsIgnoreCase(name))
                    // Tomcat leaves the type of no body out
                    .filter(header -> status != NOT_MODIFIED || !name.equals("Content-Type"))
                    .forEach(header -> text.append(name)
                            .append(": ")
                            .append(
                                    name.equals("Last-Modified")
                                            ? "<time>"
                                            : String.join(", ", header.getValue())
                                                    .replace(" ", ""))
                            .append('\n'));
        }
        add(step, text.append(body).append('\n').toString());
    }

    /** Adds what the client made of the answer. */
    void add(String step, String text) {
        steps.merge(step, normal(text), String::concat);
    }

    /** The text of each step, by its name. */
    Map<String, String> steps() {
        return steps;
    }

    /** All headers and bodies as they arrived. */
    List<String> received() {
        return sent;
    }

    private String normal(String text) {
        String known = text.replace(base, "<base>")
                .replace(encoded(base), "<base>")
                .replace(encoded(base).toLowerCase(Locale.ROOT), "<base>")
                .replace(mark, "<mark>");
        known = PAGE.matcher(known).replaceAll("_getpages=<page>");
        known = TIME.matcher(known).replaceAll("<time>");
        known = ENCODED_TIME.matcher(known).replaceAll("<time>");
        known = UUID.matcher(known).replaceAll("<uuid>");
        known = DURATION.matcher(known).replaceAll("<duration>");
        known = REQUEST_ID.matcher(known).replaceAll("#<request>");
        return SERVERS_ID.matcher(known).replaceAll(this::numbered);
    }

    private String numbered(MatchResult found) {
        String number = ids.computeIfAbsent(found.group(2), id -> "<id" + (ids.size() + 1) + ">");
        return Matcher.quoteReplacement(found.group(1) + number);
    }

    private static String encoded(String address) {
        return address.replace(":", "%3A").replace("/", "%2F");
    }
}
