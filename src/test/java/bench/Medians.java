package bench;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** Sums up the figures of the measured rounds. */
final class Medians {

    private Medians() {}

    static double median(DoubleStream of) {
        double[] sorted = of.sorted().toArray();
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    /** Returns {@code median (min - max)} of the rounds. */
    static <T> String spread(List<T> rounds, ToDoubleFunction<T> of, int decimals) {
        double[] sorted = rounds.stream().mapToDouble(of).sorted().toArray();
        return "%%.%1$df (%%.%1$df - %%.%1$df)"
                .formatted(decimals)
                .formatted(median(Arrays.stream(sorted)), sorted[0], sorted[sorted.length - 1]);
    }

    /** Returns the median of the ratios within each round. */
    static <T> double ratio(List<T> of, List<T> to, ToDoubleFunction<T> figure) {
        return median(IntStream.range(0, of.size())
                .mapToDouble(round -> figure.applyAsDouble(of.get(round)) / figure.applyAsDouble(to.get(round))));
    }
}
