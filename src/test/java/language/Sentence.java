package language;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * One sentence of a page, a description or a Javadoc comment.
 *
 * @param line where its paragraph begins, from 1
 * @param text without markup; a piece of code is one word
 */
record Sentence(Path file, int line, String text) {

    /** A colon ends a sentence too: an example or a list follows. */
    private static final Pattern END =
            Pattern.compile("(?<=[.?!:][\"')”’*_]{0,2})\\s+(?=[\\p{Lu}\"'(“`*\\d…{]|\\p{Ll})");

    private static final Pattern ABBREVIATION = Pattern.compile(
            "(?i).*(\\b(e\\.g|i\\.e|etc|vs|approx|no|cf)\\.|(?<!\\p{L})\\p{L}\\.|…|\\.\\.\\.)$", Pattern.DOTALL);

    /** A dash, a number or an arrow is no word. */
    private static final Pattern WORD = Pattern.compile(".*\\p{L}.*");

    static List<Sentence> of(Path file, int line, String paragraph) {
        List<Sentence> sentences = new ArrayList<>();
        String pending = "";
        for (String part : END.split(paragraph.strip().replaceAll("\\s+", " "))) {
            pending = pending.isEmpty() ? part : pending + " " + part;
            if (!ABBREVIATION.matcher(pending).matches()) {
                sentences.add(new Sentence(file, line, pending));
                pending = "";
            }
        }
        if (!pending.isBlank()) {
            sentences.add(new Sentence(file, line, pending));
        }
        return sentences;
    }

    long words() {
        return Pattern.compile("\\s+")
                .splitAsStream(text)
                .filter(word -> WORD.matcher(word).matches())
                .count();
    }

    @Override
    public String toString() {
        return "%s:%d: %s".formatted(file, line, text);
    }
}
