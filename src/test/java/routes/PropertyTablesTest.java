package routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.lang.reflect.Parameter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/** Keeps docs/operations/reference.md, application.yaml and the classes that read properties in step. */
class PropertyTablesTest {

    private static final Path PAGE = Path.of("docs/operations/reference.md");
    private static final String BEGIN = "<!-- properties: begin -->\n";
    private static final String END = "<!-- properties: end -->\n";
    private static final String COMMAND = "./mvnw test -Dtest=PropertyTablesTest -Dwrite";
    private static final Pattern PLACEHOLDER = Pattern.compile("(?:\\$\\{|\\{\\{)(event-broker\\.[a-z.-]+)");

    private static PropertyTables tables;

    /** Null for a property without a default. */
    private static final Map<String, String> DEFAULTS = new TreeMap<>();

    @BeforeAll
    static void readTheDefaults() throws IOException {
        tables = PropertyTables.of(Files.readString(Path.of("src/main/resources/application.yaml")));
        tables.properties().forEach(property -> DEFAULTS.put(property.name(), property.value()));
    }

    @Test
    void theReferencePageShowsEveryProperty() throws IOException {
        String page = Files.readString(PAGE);
        int begin = page.indexOf(BEGIN) + BEGIN.length();
        int end = page.indexOf(END);
        String generated = page.substring(0, begin) + tables.markdown() + "\n" + page.substring(end);
        if (System.getProperty("write") != null) {
            Files.writeString(PAGE, generated);
            return;
        }
        assertThat(page)
                .as("%s is older than application.yaml; regenerate it with: %s", PAGE, COMMAND)
                .isEqualTo(generated);
    }

    @Test
    void everySettingOfAClassIsInTheFileWithTheSameDefault() {
        List<String> prefixes = new ArrayList<>();
        for (JavaClass type : new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("routes")) {
            if (type.isAnnotatedWith(ConfigurationProperties.class)) {
                String prefix =
                        type.getAnnotationOfType(ConfigurationProperties.class).value();
                prefixes.add(prefix);
                for (Parameter parameter :
                        type.reflect().getDeclaredConstructors()[0].getParameters()) {
                    String name = prefix + "." + dashed(parameter.getName());
                    if (parameter.getType() == Map.class) {
                        assertThat(DEFAULTS.keySet()).anyMatch(property -> property.startsWith(name + ".<"));
                    } else {
                        compare(name, parameter.getAnnotation(DefaultValue.class));
                    }
                }
            }
        }
        assertThat(prefixes).contains("event-broker.consumer", "event-broker.http");
    }

    private static void compare(String name, DefaultValue value) {
        assertThat(DEFAULTS).containsKey(name);
        if (value != null) {
            assertThat(value.value()).as(name).containsExactly(DEFAULTS.get(name));
        }
    }

    private static String dashed(String name) {
        return name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    @Test
    void everyPlaceholderHasItsDefaultInTheFile() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/main"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (file.toString().matches(".*\\.(java|yaml)")) {
                    Matcher placeholder = PLACEHOLDER.matcher(Files.readString(file));
                    while (placeholder.find()) {
                        assertThat(DEFAULTS).as(file.toString()).containsKey(placeholder.group(1));
                    }
                }
            }
        }
    }

    @Test
    void aPropertyWithoutACommentIsRefused() {
        String yaml =
                """

                event-broker:
                  # Requests.
                  http:
                    max-body: 1MB
                """;

        assertThatThrownBy(() -> PropertyTables.of(yaml)).hasMessageContaining("no comment above:     max-body: 1MB");
    }

    @Test
    void aPropertyWithoutADefaultIsShown() {
        String yaml =
                """

                event-broker:
                  # Topics.
                  topics:
                    # Replication factor.
                    # replicas:
                    # Address of a server.
                    # servers.<tenant>.url:
                    # A pattern: a|b.
                    names: a|b
                """;

        assertThat(PropertyTables.of(yaml).markdown())
                .contains("| `replicas` | none | Replication factor. |")
                .contains("| `servers.<tenant>.url` | none | Address of a server. |")
                .contains("| `names` | `a\\|b` | A pattern: a\\|b. |");
    }
}
