package bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A bench refuses a misspelt name: a run of half an hour without it would look like any other. */
class ArgumentsTest {

    @Test
    void refusesAnUnknownArgumentAndListsTheKnownOnes() {
        refused(() -> new Bench("round=3"), "argument: unknown name round; known: rounds, warm-ups, records,");
        refused(() -> new ReplayBench("size=1000"), "unknown name size; known: sizes, rebuilds");
        refused(() -> new CommandBench("clients=4"), "unknown name clients; known: rounds, warm-ups, rate");
        refused(() -> new FhirBench("rate=4"), "unknown name rate; known: rounds, warm-ups, requests");
    }

    @Test
    void refusesAnUnknownSideAndListsTheKnownOnes() {
        refused(
                () -> new Bench("sides=raw,yaml rout"),
                "sides: unknown name yaml rout; known: raw, raw again, yaml route");
        refused(() -> new Bench("jfr=yaml"), "jfr: unknown name yaml; known: raw,");
        refused(
                () -> new CommandBench("jfr=yaml route"),
                "jfr: unknown name yaml route; known: bare controller, yaml routes");
    }

    @Test
    void refusesAnUnknownWorkloadAndListsTheKnownOnes() {
        refused(() -> new Bench("workloads=many,posion"), "workloads: unknown name posion; known: many, poison, hot");
        refused(() -> new CommandBench("loads=9 clients"), "loads: unknown name 9 clients; known: 1 client, 8 clients");
        refused(
                () -> new FhirBench("loads=read"),
                "loads: unknown name read; known: create by 1 client, create by 8 clients, read by 1 client");
    }

    @Test
    void refusesASideWithoutAWorkload() {
        refused(
                () -> new Bench("workloads=many", "sides=raw,outbox relay"),
                "outbox relay takes part only in [outbox], not in [many]");
    }

    @Test
    void refusesAWorkloadWithoutASide() {
        refused(() -> new Bench("workloads=many,outbox", "sides=raw"), "no side takes part in outbox");
    }

    @Test
    void refusesAnUnknownPropertyOfTheRuntime() {
        refused(
                () -> new Bench("runtime=event-broker.consumer.thread=4"),
                "runtime: unknown name event-broker.consumer.thread; known:");
        refused(() -> new CommandBench("runtime=event-broker.outbox.max=4"), "unknown name event-broker.outbox.max");
    }

    @Test
    void refusesAWordForANumberAndAnArgumentWithoutValue() {
        refused(() -> new Bench("rounds=many"), "argument rounds: many is not a number");
        refused(() -> new ReplayBench("sizes=1000,1k"), "argument sizes: 1k is not a number");
        refused(() -> new Bench("rounds"), "argument rounds: expected rounds=<value>, once");
        refused(() -> new Bench("rounds=1", "rounds=2"), "argument rounds=2: expected rounds=<value>, once");
    }

    @Test
    void acceptsKnownNames() {
        Bench bench = new Bench(
                "rounds=1",
                "workloads=many,poison",
                "sides=raw,yaml route,spring batch listener",
                "runtime=event-broker.consumer.threads=4,camel.main.exchange-factory=pooled",
                "jfr=yaml route");
        assertThat(bench).isNotNull();
    }

    @Test
    void keepsThePeersOffTheClassPathOfTests() {
        assertThatThrownBy(() -> Class.forName("org.springframework.kafka.core.KafkaTemplate"))
                .as("Spring Kafka, which Spring Boot would configure in the runtime of every test")
                .isInstanceOf(ClassNotFoundException.class);
    }

    private static void refused(ThrowingCallable bench, String message) {
        assertThatThrownBy(bench).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(message);
    }
}
