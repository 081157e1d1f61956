package bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** Collects the figures of the measured rounds, and the failed checks of the peers. */
final class Results {

    /** @param cpu microseconds of the side's process per record */
    record Figures(double cpu, double perSecond) {}

    /** @param text a failed check of a peer, with counts */
    record Finding(String workload, String side, int round, String text) {}

    private final Map<String, Map<String, Map<Integer, Figures>>> rounds = new LinkedHashMap<>();
    private final List<Finding> findings = new ArrayList<>();

    private final List<String> started = new ArrayList<>();

    void started(String side) {
        started.add(side);
    }

    /** Returns the sides that took part from the beginning. */
    List<String> started() {
        return List.copyOf(started);
    }

    void add(String workload, String side, int round, Figures figures) {
        rounds.computeIfAbsent(workload, name -> new LinkedHashMap<>())
                .computeIfAbsent(side, name -> new TreeMap<>())
                .put(round, figures);
    }

    void add(Finding finding) {
        findings.add(finding);
    }

    /** Returns the measured rounds by number; none for a side that never finished or took no part. */
    Map<Integer, Figures> figures(String workload, String side) {
        return rounds.getOrDefault(workload, Map.of()).getOrDefault(side, Map.of());
    }

    /** Returns the findings of all rounds, warm-ups included. */
    List<Finding> findings() {
        return List.copyOf(findings);
    }

    /** Prints a table for each workload, and its findings below. */
    void print(List<String> workloads, PrintStream out) {
        for (String workload : workloads) {
            Map<Integer, Figures> base = figures(workload, SideCatalog.base(workload));
            out.printf(
                    "%n%s%n| side | CPU us/record, median (min - max) | CPU / raw | throughput / raw |%n|---|---|---|---|%n",
                    workload);
            rounds.getOrDefault(workload, Map.of()).forEach((side, figures) -> {
                double[] cpu = figures.values().stream()
                        .mapToDouble(Figures::cpu)
                        .sorted()
                        .toArray();
                out.printf(
                        "| %s | %.1f (%.1f - %.1f) | %s | %s |%n",
                        side,
                        median(cpu),
                        cpu[0],
                        cpu[cpu.length - 1],
                        ratio(figures, base, Figures::cpu),
                        ratio(figures, base, Figures::perSecond));
            });
            findings.stream()
                    .filter(finding -> finding.workload().equals(workload))
                    .forEach(finding ->
                            out.printf("%s, round %d: %s%n", finding.side(), finding.round(), finding.text()));
        }
        Map<Integer, Figures> clean = figures("many", SideCatalog.YAML);
        Map<Integer, Figures> poison = figures("poison", SideCatalog.YAML);
        if (!clean.isEmpty() && !poison.isEmpty()) {
            out.printf(
                    "%nwith 1 %% poison / without: CPU %s, throughput %s%n",
                    ratio(poison, clean, Figures::cpu), ratio(poison, clean, Figures::perSecond));
        }
    }

    /** Returns the median of the ratios within each round. */
    private static String ratio(Map<Integer, Figures> of, Map<Integer, Figures> to, ToDoubleFunction<Figures> figure) {
        double[] ratios = of.keySet().stream()
                .filter(to::containsKey)
                .mapToDouble(round -> figure.applyAsDouble(of.get(round)) / figure.applyAsDouble(to.get(round)))
                .sorted()
                .toArray();
        return ratios.length == 0 ? "-" : "%.2f".formatted(median(ratios));
    }

    private static double median(double[] sorted) {
        return DoubleStream.of(sorted)
                .skip((sorted.length - 1) / 2)
                .limit(2 - sorted.length % 2)
                .average()
                .getAsDouble();
    }
}
