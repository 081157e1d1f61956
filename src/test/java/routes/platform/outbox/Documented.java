package routes.platform.outbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads SQL and YAML from the documentation, so that tests run it as written. */
final class Documented {

    private Documented() {}

    /** The statement of runbook.md that begins with {@code -- <what>}; its {@code :id} is a parameter. */
    static String sql(String what) {
        return block("docs/operations/runbook.md", "sql", "-- " + what + "[^\n]*\n(.*?);");
    }

    /** The first block of a language after a heading of add-a-consumer.md. */
    static String example(String language) {
        return block("docs/add-a-consumer.md", language, "(.*)");
    }

    private static String block(String file, String language, String part) {
        try {
            String text = Files.readString(Path.of(file));
            String outbox = text.substring(
                    Math.max(text.indexOf("## An event that follows from a change"), text.indexOf("## Outbox")));
            Matcher block = Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
                    .matcher(outbox);
            while (block.find()) {
                Matcher found = Pattern.compile(part, Pattern.DOTALL).matcher(block.group(1));
                if (found.find()) {
                    return found.group(1);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalStateException(file + " has no " + language + " with " + part);
    }
}
