package routes.platform.database;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;

class GaugeQueryTest {

    private final MeterRegistry meters = new SimpleMeterRegistry();

    private record Row(long open, double oldest) {}

    @Test
    void asksOnceForAllGaugesOfAScrape() {
        AtomicInteger asked = new AtomicInteger();
        GaugeQuery<Row> query = new GaugeQuery<>(() -> new Row(asked.incrementAndGet(), 7.5));
        query.register(meters, "open", null, Row::open);
        query.register(meters, "oldest", "seconds", Row::oldest);

        assertThat(asked).hasValue(0);
        assertThat(value("open")).isEqualTo(1);
        assertThat(value("oldest")).isEqualTo(7.5);
        assertThat(asked).hasValue(1);
    }

    @Test
    void isNotANumberWhileTheDatabaseIsDown() {
        AtomicInteger asked = new AtomicInteger();
        GaugeQuery<Row> query = new GaugeQuery<>(() -> {
            asked.incrementAndGet();
            throw new DataAccessResourceFailureException("down");
        });
        query.register(meters, "open", null, Row::open);
        query.register(meters, "oldest", "seconds", Row::oldest);

        assertThat(value("open")).isNaN();
        assertThat(value("oldest")).isNaN();
        assertThat(asked).as("queries of one scrape").hasValue(1);
    }

    private double value(String gauge) {
        return meters.get(gauge).gauge().value();
    }
}
