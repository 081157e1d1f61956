package routes.fhir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.dao.DataAccessResourceFailureException;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

class PageLinksTest {

    private static final Caller ANNA = new Caller("anna", "default", "default", null, Set.of(), Set.of());
    private static final Caller BEN = new Caller("ben", "default", "default", null, Set.of(), Set.of());
    private static final Caller ANNA_ELSEWHERE = new Caller("anna", "other", "other", null, Set.of(), Set.of());
    private static final Set<FhirPermission> NEEDS = Set.of(
            new FhirPermission('s', "Observation"), new FhirPermission('r', "Patient"), new FhirPermission('s', "*"));

    private final PageLinks pages = new PageLinks(() -> new byte[32]);
    private final String sealed = pages.seal("0a1b-2c3d", NEEDS, ANNA);

    @Test
    void opensALinkForItsCaller() {
        PageLinks.Opened page = pages.openIn("_getpages=" + sealed + "&_getpagesoffset=10&_count=5", ANNA);
        assertEquals("_getpages=0a1b-2c3d&_getpagesoffset=10&_count=5", page.query());
        assertEquals(NEEDS, page.needs());
    }

    @Test
    void opensALinkWhoseParametersAreInAnotherOrder() {
        assertEquals(
                "_count=5&_getpages=0a1b-2c3d",
                pages.openIn("_count=5&_getpages=" + sealed, ANNA).query());
    }

    @Test
    void loadsTheKeyOnceItCan() {
        List<byte[]> keys = new ArrayList<>();
        PageLinks starting = new PageLinks(() -> {
            if (keys.isEmpty()) {
                throw new DataAccessResourceFailureException("down");
            }
            return keys.remove(0);
        });

        assertThrows(DataAccessResourceFailureException.class, starting::loadKey);
        keys.add(new byte[32]);
        starting.loadKey();
        starting.loadKey();

        assertEquals(NEEDS, starting.openIn("_getpages=" + sealed, ANNA).needs());
    }

    @Test
    void refusesTheLinkOfAnotherCaller() {
        assertRefused("_getpages=" + sealed, BEN);
        assertRefused("_getpages=" + sealed, ANNA_ELSEWHERE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "_getpages=0a1b-2c3d",
                "_getpages=",
                "_getpages=82a656fc-52c2-4aae-947b-ffbb63a57f02",
                "_getpages=AAAA",
                "_getpages=x{0}",
                "_getpages={0}x",
                "_getpages={0}&_getpages=0a1b-2c3d",
                "_getpages={0}&%5fgetpages=0a1b-2c3d",
                "_getpages={0}&_GETPAGES=0a1b-2c3d",
                "_getpages={0}&_get%70ages=0a1b-2c3d"
            })
    void refusesAChangedLink(String query) {
        assertRefused(query.replace("{0}", sealed), ANNA);
    }

    @Test
    void recognizesARequestForAPage() {
        assertTrue(PageLinks.isPage("GET", List.of(), "_getpages=a.b.c"));
        assertFalse(PageLinks.isPage("GET", List.of("Patient"), "_getpages=a.b.c"));
        assertFalse(PageLinks.isPage("POST", List.of(), "_getpages=a.b.c"));
        assertFalse(PageLinks.isPage("GET", List.of(), "name=_getpages"));
        assertFalse(PageLinks.isPage("GET", List.of(), null));
    }

    private void assertRefused(String query, Caller caller) {
        assertEquals(
                404,
                assertThrows(ProblemException.class, () -> pages.openIn(query, caller))
                        .status());
    }
}
