package routes;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the instructions of a Dockerfile, as far as ours uses the language. */
record Dockerfile(List<Instruction> instructions) {

    private static final Pattern FROM = Pattern.compile("(?<image>\\S+)(?: AS (?<name>\\S+))?");

    /**
     * @param stage name of its stage; the last stage has no name and is called {@code image}
     * @param keyword in capitals
     * @param arguments rest of the line, with continuation lines
     */
    record Instruction(String stage, String keyword, String arguments) {

        /** Reads the exec form {@code ["program", "argument"]}, which may follow options. */
        List<String> command() {
            try {
                String[] command = new ObjectMapper()
                        .readValue(arguments.substring(Math.max(0, arguments.indexOf('['))), String[].class);
                return List.of(command);
            } catch (IOException e) {
                throw new IllegalArgumentException("not in exec form: " + keyword + " " + arguments, e);
            }
        }
    }

    static Dockerfile read(Path file) throws IOException {
        List<Instruction> instructions = new ArrayList<>();
        String stage = null;
        StringBuilder open = new StringBuilder();
        for (String line : Files.readAllLines(file)) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            open.append(line.strip());
            if (open.charAt(open.length() - 1) == '\\') {
                open.setCharAt(open.length() - 1, ' ');
                continue;
            }
            String[] words = open.toString().split("\\s+", 2);
            open.setLength(0);
            if (words[0].equals("FROM")) {
                Matcher from = FROM.matcher(words[1]);
                if (!from.matches()) {
                    throw new IllegalArgumentException(line);
                }
                stage = from.group("name") == null ? "image" : from.group("name");
            }
            instructions.add(new Instruction(stage, words[0], words[1]));
        }
        return new Dockerfile(List.copyOf(instructions));
    }

    /** Returns the instructions of that kind that apply to the image, not to the stages before. */
    List<Instruction> ofImage(String keyword) {
        return instructions.stream()
                .filter(instruction -> instruction.stage().equals("image")
                        && instruction.keyword().equals(keyword))
                .toList();
    }

    /** Returns the only instruction of that kind that applies to the image. */
    Instruction theOneOfImage(String keyword) {
        List<Instruction> found = ofImage(keyword);
        if (found.size() != 1) {
            throw new IllegalArgumentException("expected one " + keyword + ", found " + found);
        }
        return found.get(0);
    }
}
