package bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A misspelt name is not dropped: a run of half an hour without it would look like any other. */
class ArgumentsTest {

    @Test
    void namesTheArgumentThatThereIsNotAndThoseThatThereAre() {
        refused(() -> new Bench("round=3"), "argument: there is no round; there are: rounds, warm-ups, records,");
        refused(() -> new ReplayBench("size=1000"), "there is no size; there are: sizes, rebuilds");
        refused(() -> new CommandBench("clients=4"), "there is no clients; there are: rounds, warm-ups, rate");
    }

    @Test
    void namesTheSideThatThereIsNotAndThoseThatThereAre() {
        refused(
                () -> new Bench("sides=raw,yaml rout"),
                "sides: there is no yaml rout; there are: raw, raw again, yaml route");
        refused(() -> new Bench("jfr=yaml"), "jfr: there is no yaml; there are: raw,");
        refused(
                () -> new CommandBench("jfr=yaml route"),
                "jfr: there is no yaml route; there are: bare controller, yaml routes");
    }

    @Test
    void namesTheWorkloadThatThereIsNotAndThoseThatThereAre() {
        refused(
                () -> new Bench("workloads=many,posion"),
                "workloads: there is no posion; there are: many, poison, hot");
        refused(
                () -> new CommandBench("loads=9 clients"),
                "loads: there is no 9 clients; there are: 1 client, 8 clients");
    }

    @Test
    void namesTheSideThatTakesPartInNoneOfTheWorkloads() {
        refused(
                () -> new Bench("workloads=many", "sides=raw,outbox relay"),
                "outbox relay takes part in none of [many]");
    }

    @Test
    void namesTheWorkloadThatNoSideTakesPartIn() {
        refused(() -> new Bench("workloads=many,outbox", "sides=raw"), "none of the sides takes part in outbox");
    }

    @Test
    void namesThePropertyThatTheRuntimeDoesNotHave() {
        refused(
                () -> new Bench("runtime=event-broker.consumer.thread=4"),
                "runtime: there is no event-broker.consumer.thread; there are:");
        refused(() -> new CommandBench("runtime=event-broker.outbox.max=4"), "there is no event-broker.outbox.max");
    }

    @Test
    void namesWhatIsNoNumberAndWhatHasNoValue() {
        refused(() -> new Bench("rounds=many"), "argument rounds: many is no number");
        refused(() -> new ReplayBench("sizes=1000,1k"), "argument sizes: 1k is no number");
        refused(() -> new Bench("rounds"), "argument rounds: it has to be rounds=<value>, once");
        refused(() -> new Bench("rounds=1", "rounds=2"), "argument rounds=2: it has to be rounds=<value>, once");
    }

    @Test
    void takesWhatThereIs() {
        Bench bench = new Bench(
                "rounds=1",
                "workloads=many,poison",
                "sides=raw,yaml route,spring batch listener",
                "runtime=event-broker.consumer.threads=4,camel.main.exchange-factory=pooled",
                "jfr=yaml route");
        assertThat(bench).isNotNull();
    }

    @Test
    void thePeersAreOnNoClassPathButTheirOwn() {
        assertThatThrownBy(() -> Class.forName("org.springframework.kafka.core.KafkaTemplate"))
                .as("with it, Spring Boot would configure Spring Kafka in the runtime of every test")
                .isInstanceOf(ClassNotFoundException.class);
    }

    private static void refused(ThrowingCallable bench, String message) {
        assertThatThrownBy(bench).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(message);
    }
}
