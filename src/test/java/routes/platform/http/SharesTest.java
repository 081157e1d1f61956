package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import routes.platform.http.Shares.Holder;

class SharesTest {

    private final Client a = new Client("t", "a");
    private final Client b = new Client("t", "b");
    private final Client c = new Client("u", "c");
    private final Client d = new Client("v", "d");

    private final Shares shares = new Shares(4, 3, 2);

    @Test
    void givesAClientNoMoreThanItsShare() {
        take(a, 2);

        assertThat(shares.take(a)).contains(Holder.CLIENT);
        assertThat(shares.take(b)).isEmpty();
    }

    @Test
    void givesTheClientsOfATenantNoMoreThanItsShare() {
        take(a, 2);
        take(b, 1);

        assertThat(shares.take(b)).contains(Holder.TENANT);
        assertThat(shares.take(c)).isEmpty();
    }

    @Test
    void givesAllNoMoreThanThereIs() {
        take(a, 2);
        take(c, 2);

        assertThat(shares.take(d)).contains(Holder.ALL);
    }

    @Test
    void givesWhatWasGivenBackToAnother() {
        take(a, 2);
        take(c, 2);
        shares.giveBack(a);

        assertThat(shares.take(d)).isEmpty();
        assertThat(shares.take(a)).contains(Holder.ALL);
    }

    @Test
    void takesNothingWhenItRefuses() {
        take(a, 2);
        assertThat(shares.take(a)).contains(Holder.CLIENT);
        shares.giveBack(a);

        assertThat(shares.take(a)).isEmpty();
    }

    private void take(Client client, int n) {
        for (int i = 0; i < n; i++) {
            assertThat(shares.take(client)).isEmpty();
        }
    }
}
