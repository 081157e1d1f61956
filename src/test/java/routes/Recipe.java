package routes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads a how-to page of the docs as steps. The prose before a block names its place: the last file, {@code under} a
 * key of it, or {@code appended to} it. A test applies a {@code diff} and runs {@code bash}.
 *
 * @param steps up to the first heading after the title
 */
record Recipe(List<Step> steps) {

    private static final Pattern FENCE = Pattern.compile("( *)```(\\w*)");
    private static final Pattern FILE = Pattern.compile("`((?:\\w+/)+[\\w.-]+\\.\\w+)`");
    private static final Pattern KEY = Pattern.compile("under `([\\w.]+)`");

    /**
     * Describes one block of the page.
     *
     * @param file null for commands
     * @param prose text before the block
     */
    record Step(String language, String file, String prose, String text) {

        /** Tells whether the block changes a file; a block of {@code text} only shows something. */
        boolean isEdit() {
            return !isCommand() && !language.equals("text");
        }

        boolean isCommand() {
            return language.equals("bash");
        }

        /** Tells whether the block sends a request to a running sandbox. */
        boolean isRequest() {
            return isCommand() && text.contains("curl ");
        }

        /** Matches the output that a page shows, where {@code …} stands for any text. */
        Pattern shown() {
            return Pattern.compile(
                    Arrays.stream(text.strip().split("…")).map(Pattern::quote).collect(Collectors.joining(".*")),
                    Pattern.DOTALL);
        }

        void edit(Path project) throws IOException {
            Path path = project.resolve(file);
            Matcher key = KEY.matcher(prose);
            if (language.equals("diff")) {
                Files.writeString(path, patched(Files.readString(path)));
            } else if (prose.contains("appended to")) {
                Files.writeString(path, Files.readString(path) + text);
            } else if (key.find()) {
                Files.writeString(path, under(key.group(1), Files.readString(path)));
            } else {
                Files.writeString(Files.createDirectories(path.getParent()).resolve(path.getFileName()), text);
            }
        }

        private String patched(String whole) {
            StringBuilder before = new StringBuilder();
            StringBuilder after = new StringBuilder();
            text.lines().forEach(line -> {
                String content = line.substring(1) + "\n";
                if (line.charAt(0) != '+') {
                    before.append(content);
                }
                if (line.charAt(0) != '-') {
                    after.append(content);
                }
            });
            if (whole.split(Pattern.quote(before.toString()), -1).length != 2) {
                throw new IllegalStateException(file + " does not have once: " + before);
            }
            return whole.replace(before, after);
        }

        private String under(String key, String whole) {
            int at = 0;
            String indent = "";
            for (String name : key.split("\\.")) {
                Matcher line = Pattern.compile("^" + indent + name + ":\n", Pattern.MULTILINE)
                        .matcher(whole);
                if (!line.find(at)) {
                    throw new IllegalStateException(file + " has no " + key);
                }
                at = line.end();
                indent += "  ";
            }
            return whole.substring(0, at) + text + whole.substring(at);
        }
    }

    static Recipe of(String page) throws IOException {
        return of(Files.readAllLines(Path.of(page)));
    }

    static Recipe ofSection(String page, String heading) throws IOException {
        List<String> lines = Files.readAllLines(Path.of(page));
        return of(lines.subList(lines.indexOf("## " + heading) + 1, lines.size()));
    }

    private static Recipe of(List<String> lines) {
        List<Step> steps = new ArrayList<>();
        StringBuilder prose = new StringBuilder();
        String file = null;
        for (int i = 0; i < lines.size() && !lines.get(i).startsWith("## "); i++) {
            Matcher fence = FENCE.matcher(lines.get(i));
            if (!fence.matches()) {
                prose.append(lines.get(i).strip()).append(' ');
                continue;
            }
            StringBuilder text = new StringBuilder();
            for (i++; !lines.get(i).strip().equals("```"); i++) {
                text.append(lines.get(i).replaceFirst("^" + fence.group(1), "")).append('\n');
            }
            Matcher named = FILE.matcher(prose);
            while (named.find()) {
                file = named.group(1);
            }
            steps.add(new Step(fence.group(2), file, prose.toString(), text.toString()));
            prose.setLength(0);
        }
        return new Recipe(steps);
    }
}
