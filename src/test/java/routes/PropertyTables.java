package routes;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the {@code event-broker} tree of {@code application.yaml}, with its comments, and writes it as Markdown tables.
 * A comment above a property or group is its description; {@code # name:} is a property without a default, and {@code #
 * names.<key>.name:} one of a map.
 */
final class PropertyTables {

    private static final String ROOT = "event-broker";
    private static final Pattern ENTRY =
            Pattern.compile("( *)(# )?([a-z][a-z-]*(?:\\.<[a-z]+>\\.[a-z-]+)?):(?: +(.+))?");
    private static final Pattern COMMENT = Pattern.compile(" *# (.+)");

    /** @param value null without a default */
    record Property(String name, String value, String description) {}

    private final Map<String, String> groups = new LinkedHashMap<>();
    private final List<Property> properties = new ArrayList<>();

    private PropertyTables() {}

    /**
     * @throws IllegalArgumentException for a line of the tree that is no property, group or comment, or has no
     *     description
     */
    static PropertyTables of(String yaml) {
        PropertyTables tables = new PropertyTables();
        String tree = yaml.substring(yaml.indexOf("\n" + ROOT + ":\n") + ROOT.length() + 3);
        String group = "";
        List<String> comment = new ArrayList<>();
        for (String line : tree.lines().takeWhile(line -> !line.isBlank()).toList()) {
            Matcher entry = ENTRY.matcher(line);
            boolean isEntry = entry.matches() && (entry.group(2) == null || entry.group(4) == null);
            if (!isEntry) {
                comment.add(text(line));
                continue;
            }
            String description = String.join(" ", comment);
            comment.clear();
            if (description.isEmpty()) {
                throw new IllegalArgumentException("no comment above: " + line);
            }
            int depth = entry.group(1).length() / 2;
            String name = entry.group(3);
            boolean isGroup = depth == 1 && entry.group(2) == null && entry.group(4) == null;
            if (isGroup) {
                group = name;
                tables.groups.put(group, description);
            } else {
                String prefix = depth == 1 ? ROOT + "." : ROOT + "." + group + ".";
                tables.properties.add(new Property(prefix + name, entry.group(4), description));
            }
        }
        return tables;
    }

    private static String text(String line) {
        Matcher comment = COMMENT.matcher(line);
        if (!comment.matches()) {
            throw new IllegalArgumentException("neither property nor comment: " + line);
        }
        return comment.group(1);
    }

    List<Property> properties() {
        return properties;
    }

    String markdown() {
        StringBuilder page = new StringBuilder();
        table(page, "", ROOT + ".");
        groups.forEach((group, description) -> table(page, description, ROOT + "." + group + "."));
        return page.toString();
    }

    private void table(StringBuilder page, String description, String prefix) {
        page.append("\n### `").append(prefix).append("*`\n\n");
        if (!description.isEmpty()) {
            page.append(description).append("\n\n");
        }
        page.append("| property | default | meaning |\n|---|---|---|\n");
        for (Property property : properties) {
            String name = property.name().startsWith(prefix) ? property.name().substring(prefix.length()) : ".";
            boolean isOfThisTable = !name.replaceFirst("\\.<[a-z]+>\\.", "").contains(".");
            if (isOfThisTable) {
                page.append(
                        "| `%s` | %s | %s |\n".formatted(name, code(property.value()), cell(property.description())));
            }
        }
    }

    private static String code(String value) {
        return value == null ? "none" : "`" + cell(value) + "`";
    }

    private static String cell(String text) {
        return text.replace("|", "\\|");
    }
}
