package routes.platform.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import routes.platform.error.FailureClassifier;
import routes.platform.error.ProblemException;
import routes.platform.projection.OwnSchema;

/** Runs steps against a real database, because the locks are the subject. */
class StepRunnerIT {

    private static OwnSchema own;

    private final List<String> cleaned = new ArrayList<>();
    private final WalkHandler handler = new WalkHandler();
    private StepRunner runner;

    @BeforeAll
    static void connect() {
        own = new OwnSchema();
        own.jdbc
                .sql(
                        """
                        create table walk (
                            id uuid primary key, name text not null, state text not null default 'RUNNING', steps int not null default 0,
                            next_at timestamptz not null default now(), failures int not null default 0,
                            unknown_failures int not null default 0, failure text, updated_at timestamptz not null default now())""")
                .update();
    }

    @AfterAll
    static void close() {
        own.close();
    }

    @BeforeEach
    void begin() {
        own.jdbc.sql("delete from walk").update();
        runner = new StepRunner(own.jdbc, own.transactions, new FailureClassifier());
    }

    private record Walk(UUID id, String name, int failures, int unknownFailures) implements JobHandler.Job {}

    /** Handles walks of three steps; a test may change what a step does. */
    private final class WalkHandler implements JobHandler<Walk> {

        private Consumer<Walk> each = walk -> {};
        private Runnable afterFailure = () -> {};
        private final AtomicInteger tries = new AtomicInteger();

        @Override
        public String jobName() {
            return "walk";
        }

        @Override
        public String table() {
            return "walk";
        }

        @Override
        public Optional<Walk> lockNextDue() {
            return own.jdbc
                    .sql("select id, name, failures, unknown_failures from walk where " + StepRunner.DUE
                            + " order by name " + StepRunner.LOCK_ONE)
                    .query(Walk.class)
                    .optional();
        }

        @Override
        public void runStep(Walk walk) throws IOException {
            tries.incrementAndGet();
            own.jdbc
                    .sql(
                            """
                            update walk set steps = steps + 1, state = case when steps + 1 < 3 then 'RUNNING' else 'DONE' end
                            where id = ? and state = 'RUNNING'""")
                    .param(walk.id())
                    .update();
            each.accept(walk);
        }

        @Override
        public void onFailed(Walk walk) {
            cleaned.add(walk.name());
            afterFailure.run();
        }
    }

    @Test
    void runsAllStepsOfAllJobs() {
        add("a");
        add("b");

        assertThat(runner.runDueSteps(handler)).isTrue();

        assertThat(walks()).containsExactly("a DONE 3 null", "b DONE 3 null");
        assertThat(runner.runDueSteps(handler)).isFalse();
    }

    @Test
    void stopsAfterASecondSoThatAShutdownDoesNotWait() {
        add("a");
        handler.each = walk -> {
            own.jdbc.sql("update walk set steps = 0, state = 'RUNNING'").update();
        };

        runner.runDueSteps(handler);

        assertThat(handler.tries.get()).isGreaterThan(1);
        assertThat(walks()).containsExactly("a RUNNING 0 null");
    }

    @Test
    void holdsACancellationUntilTheFailureIsCommitted() {
        add("a");
        List<CompletableFuture<Integer>> cancellations = new ArrayList<>();
        handler.each = walk -> {
            cancellations.add(CompletableFuture.supplyAsync(() -> own.jdbc
                    .sql("update walk set state = 'CANCELLED' where state = 'RUNNING'")
                    .update()));
            await().until(() -> waitsForALock("update walk set state = 'CANCELLED'"));
            throw new ProblemException(409, "never");
        };

        runner.runDueSteps(handler);

        assertThat(cancellations).singleElement().satisfies(cancellation -> assertThat(cancellation.join())
                .isZero());
        assertThat(walks()).containsExactly("a FAILED 0 never");
        assertThat(cleaned).containsExactly("a");
    }

    @Test
    void holdsOtherInstancesUntilTheFailureIsCommitted() {
        add("a");
        List<Boolean> others = new ArrayList<>();
        handler.each = walk -> {
            throw new ProblemException(409, "never");
        };
        StepRunner other = new StepRunner(own.jdbc, own.transactions, new FailureClassifier());
        handler.afterFailure = () -> others.add(
                CompletableFuture.supplyAsync(() -> other.runDueSteps(handler)).join());

        runner.runDueSteps(handler);

        assertThat(others).containsExactly(false);
        assertThat(walks()).containsExactly("a FAILED 0 never");
        assertThat(handler.tries).hasValue(1);
    }

    private static boolean waitsForALock(String statement) {
        return own.jdbc
                .sql(
                        "select exists (select 1 from pg_stat_activity where wait_event_type = 'Lock' and starts_with(query, ?))")
                .param(statement)
                .query(Boolean.class)
                .single();
    }

    @Test
    void keepsACancellationThatComesDuringTheBackoff() {
        add("a");
        handler.each = walk -> {
            throw new DataAccessResourceFailureException("down");
        };
        runner.runDueSteps(handler);
        own.jdbc.sql("update walk set state = 'CANCELLED'").update();
        own.jdbc.sql("update walk set next_at = now()").update();

        assertThat(runner.runDueSteps(handler)).isFalse();
        assertThat(walks()).containsExactly("a CANCELLED 0 null");
    }

    @Test
    void failsAPoisonJobAtOnceAndCleansUp() {
        add("a");
        handler.each = walk -> {
            throw new ProblemException(409, "the log is another one");
        };

        runner.runDueSteps(handler);

        assertThat(walks()).containsExactly("a FAILED 0 the log is another one");
        assertThat(cleaned).containsExactly("a");
        assertThat(handler.tries).hasValue(1);
    }

    @Test
    void retriesAnUnknownFailureAFewTimes() {
        add("a");
        handler.each = walk -> {
            throw new IllegalStateException("the patient's name");
        };

        await().until(() -> {
            runner.runDueSteps(handler);
            return !state("a").equals("RUNNING");
        });

        assertThat(handler.tries).hasValue(5);
        assertThat(walks()).containsExactly("a FAILED 0 IllegalStateException");
        assertThat(cleaned).containsExactly("a");
    }

    @Test
    void countsOnlyTheFailuresOfTheCurrentStep() {
        add("a");
        handler.each = walk -> {
            if (handler.tries.get() % 4 != 0) {
                throw new IllegalStateException();
            }
        };

        await().until(() -> {
            runner.runDueSteps(handler);
            return !state("a").equals("RUNNING");
        });

        assertThat(handler.tries).hasValue(12);
        assertThat(walks()).containsExactly("a DONE 3 null");
    }

    @Test
    void retriesWhileADependencyIsDown() {
        add("a");
        handler.each = walk -> {
            throw new DataAccessResourceFailureException("down");
        };

        for (int i = 0; i < 20; i++) {
            own.jdbc.sql("update walk set next_at = now()").update();
            assertThat(runner.runDueSteps(handler)).isTrue();
        }

        assertThat(walks()).containsExactly("a RUNNING 0 null");
        assertThat(own.jdbc
                        .sql("select failures from walk")
                        .query(Integer.class)
                        .single())
                .isEqualTo(20);
        assertThat(own.jdbc
                        .sql("select next_at - now() between interval '5 s' and interval '10 s' from walk")
                        .query(Boolean.class)
                        .single())
                .isTrue();
        handler.each = walk -> {};
        own.jdbc.sql("update walk set next_at = now()").update();
        runner.runDueSteps(handler);
        assertThat(walks()).containsExactly("a DONE 3 null");
        assertThat(own.jdbc
                        .sql("select failures from walk")
                        .query(Integer.class)
                        .single())
                .isZero();
    }

    @Test
    void runsOtherJobsWhileOneBacksOff() {
        add("a");
        add("b");
        handler.each = walk -> {
            if (walk.name().equals("a")) {
                throw new DataAccessResourceFailureException("down");
            }
        };

        runner.runDueSteps(handler);

        assertThat(walks()).containsExactly("a RUNNING 0 null", "b DONE 3 null");
    }

    @Test
    void backsOffOnAllInstances() {
        add("a");
        handler.each = walk -> {
            throw new DataAccessResourceFailureException("down");
        };
        runner.runDueSteps(handler);

        assertThat(new StepRunner(own.jdbc, own.transactions, new FailureClassifier()).runDueSteps(handler))
                .isFalse();
    }

    @Test
    void skipsAJobThatAnotherInstanceHasLocked() {
        add("a");
        add("b");
        own.transactions.executeWithoutResult(status -> {
            assertThat(handler.lockNextDue()).map(Walk::name).hasValue("a");
            CompletableFuture.runAsync(() -> runner.runDueSteps(handler)).join();
        });

        assertThat(walks()).containsExactly("a RUNNING 0 null", "b DONE 3 null");
    }

    @Test
    void throwsWhenTheDatabaseFails() {
        own.jdbc.sql("alter table walk rename to away").update();
        try {
            assertThatThrownBy(() -> runner.runDueSteps(handler)).isInstanceOf(DataAccessException.class);
        } finally {
            own.jdbc.sql("alter table away rename to walk").update();
        }
    }

    @Test
    void survivesAnErrorInAStep() {
        add("a");
        handler.each = walk -> {
            if (handler.tries.get() == 1) {
                throw new NoClassDefFoundError("a/B");
            }
        };

        await().until(() -> {
            runner.runDueSteps(handler);
            return state("a").equals("DONE");
        });
    }

    private static void add(String name) {
        own.jdbc
                .sql("insert into walk (id, name) values (?, ?)")
                .params(UUID.randomUUID(), name)
                .update();
    }

    private static String state(String name) {
        return own.jdbc
                .sql("select state from walk where name = ?")
                .param(name)
                .query(String.class)
                .single();
    }

    private static List<String> walks() {
        return own.jdbc
                .sql("select concat_ws(' ', name, state, steps, coalesce(failure, 'null')) from walk order by name")
                .query(String.class)
                .list();
    }
}
