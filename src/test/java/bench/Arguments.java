package bench;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.springframework.beans.factory.config.YamlPropertiesFactoryBean;
import org.springframework.core.io.ClassPathResource;

/** Reads the arguments {@code name=value} of a bench. Refuses an unknown name and lists the known ones. */
final class Arguments {

    private static final String OWN_PROPERTIES = "event-broker.";

    private final Map<String, String> values = new LinkedHashMap<>();

    /**
     * @param names of the known arguments
     * @throws IllegalArgumentException for an unknown or repeated one, or one without a value
     */
    Arguments(String[] arguments, String... names) {
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            existing("argument", pair[0], Arrays.asList(names));
            if (pair.length == 1 || values.put(pair[0], pair[1]) != null) {
                throw new IllegalArgumentException(
                        "argument %s: expected %s=<value>, once".formatted(argument, pair[0]));
            }
        }
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    int number(String name, int otherwise) {
        String value = values.getOrDefault(name, Integer.toString(otherwise));
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("argument %s: %s is not a number".formatted(name, value), e);
        }
    }

    /** Returns the numbers of a comma-separated list. */
    List<Integer> numbers(String name, String otherwise) {
        return Stream.of(values.getOrDefault(name, otherwise).split(","))
                .map(value -> new Arguments(new String[] {name + "=" + value}, name).number(name, 0))
                .toList();
    }

    /**
     * Returns the names of a list argument, in the order given; without the argument, all names.
     *
     * @throws IllegalArgumentException for an unknown name
     */
    List<String> chosen(String name, String separator, Collection<String> all) {
        if (!values.containsKey(name)) {
            return List.copyOf(all);
        }
        List<String> chosen = List.of(values.get(name).split(Pattern.quote(separator)));
        chosen.forEach(one -> existing(name, one, all));
        return chosen;
    }

    /**
     * Returns the JVM options of a side: {@code jvm=<option>,…}, and those of a profile if {@code jfr} names it.
     *
     * @param all names of sides
     */
    List<String> jvmOptions(String side, Collection<String> all) {
        List<String> options = split("jvm");
        if (has("jfr")) {
            existing("jfr", values.get("jfr"), all);
        }
        return !side.equals(values.get("jfr"))
                ? options
                : Stream.concat(
                                options.stream(),
                                Stream.of(
                                        "-XX:StartFlightRecording=settings=profile,filename=target/bench/profile.jfr",
                                        "-XX:FlightRecorderOptions=stackdepth=256"))
                        .toList();
    }

    /**
     * Returns the runtime's options, from {@code runtime=<name>=<value>,…}.
     *
     * @throws IllegalArgumentException for an unknown property {@code event-broker.*}
     */
    List<String> runtime() {
        YamlPropertiesFactoryBean yaml = new YamlPropertiesFactoryBean();
        yaml.setResources(new ClassPathResource("application.yaml"));
        List<String> own = yaml.getObject().keySet().stream()
                .map(Object::toString)
                .filter(name -> name.startsWith(OWN_PROPERTIES))
                .sorted()
                .toList();
        return split("runtime").stream()
                .peek(option -> {
                    if (option.startsWith(OWN_PROPERTIES)) {
                        existing("runtime", option.split("=", 2)[0], own);
                    }
                })
                .map(option -> "--" + option)
                .toList();
    }

    private List<String> split(String name) {
        return Stream.of(values.getOrDefault(name, "").split(","))
                .filter(one -> !one.isEmpty())
                .toList();
    }

    private static void existing(String what, String name, Collection<String> all) {
        if (!all.contains(name)) {
            throw new IllegalArgumentException(
                    "%s: unknown name %s; known: %s".formatted(what, name, String.join(", ", all)));
        }
    }
}
