package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TurnsTest {

    private final Turns turns = new Turns();
    private final Client client = new Client("t", "a");
    private final Client other = new Client("t", "b");

    @Test
    void letsAFewRequestsOfAClientRunAtATime() {
        enterAll();

        assertThat(turns.enter(client)).isFalse();
        assertThat(turns.enter(other)).isTrue();
    }

    @Test
    void givesTheTurnToWhoWaitsForIt() {
        enterAll();
        CompletableFuture<Boolean> next = CompletableFuture.supplyAsync(() -> turns.enter(client));
        turns.leave(client);

        assertThat(next.join()).isTrue();
    }

    @Test
    void letsAnotherRunWhileARequestWaitsForSomethingElse() {
        enterAll();
        turns.pause(client);

        assertThat(turns.enter(client)).isTrue();
    }

    @Test
    void letsARequestGoOnThatHasWaited() {
        enterAll();
        turns.pause(client);
        assertThat(turns.enter(client)).isTrue();
        turns.resume(client);
        turns.leave(client);

        assertThat(turns.enter(client))
                .as("one more than may run is still there")
                .isFalse();
        turns.leave(client);
        assertThat(turns.enter(client)).isTrue();
    }

    private void enterAll() {
        for (int i = 0; i < turns.atOnce(); i++) {
            assertThat(turns.enter(client)).isTrue();
        }
    }
}
