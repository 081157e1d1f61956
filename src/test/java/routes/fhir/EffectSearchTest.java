package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Bundle.BundleEntryComponent;
import org.hl7.fhir.r4.model.Bundle.HTTPVerb;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.Patient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class EffectSearchTest {

    private static final String OURS = "a1B2c3D4e5F6g7H8";
    private static final Instant CREATED = Instant.parse("2026-11-27T10:00:30.123456Z");
    private static final String HISTORY = "Patient/p-1/_history?_since=2026-11-27T09:59:30.123Z&_count=100&_offset=";
    private static final String SEARCH =
            "Patient?_source=%23a1B2c3D4e5F6g7H8&_elements=meta&_sort=_id&_count=100&_offset=";

    @Test
    void asksForTheHistoryOfEachResourceOnce() {
        EffectSearch search = search(put("p-1"), delete("p-1"), put("p-2"));

        assertThat(search.nextPage()).contains(HISTORY + 0);
        search.read(bundle());
        assertThat(search.nextPage()).contains(HISTORY.replace("p-1", "p-2") + 0);
        search.read(bundle());
        assertThat(search.nextPage()).isEmpty();
        assertThat(search.next()).isEqualTo(3);
    }

    @Test
    void searchesOnceForATypeWithoutIds() {
        EffectSearch search = search(
                create(3), new FhirTarget("PUT", "Patient", null, 1), new FhirTarget("DELETE", "Basic", null, 1));

        assertThat(search.nextPage()).contains(SEARCH + 0);
        search.read(bundle());
        assertThat(search.nextPage()).isEmpty();
    }

    @Test
    void findsTheVersionsWhoseSourceNamesTheIntent() {
        EffectSearch search = search(put("p-1"));

        search.read(bundle(
                version("p-1", "4", "#someOtherRequest"),
                version("p-1", "3", "https://clinic.example#" + OURS),
                version("p-1", "2", null),
                version("p-1", "1", "#" + OURS.toLowerCase())));

        assertThat(search.found()).containsExactly(new FhirVersion("Patient", "p-1", "3"));
        assertThat(search.deletes()).isEmpty();
    }

    @Test
    void collectsTheDeletesOfResourcesThatItWantedToDelete() {
        EffectSearch search = search(delete("p-1"), put("p-2"));

        search.read(bundle(deleted("Patient/p-1/_history/5"), version("p-1", "4", "#x")));
        search.read(bundle(deleted("Patient/p-2/_history/2")));

        assertThat(search.deletes()).containsExactly(new FhirVersion("Patient", "p-1", "5"));
        assertThat(search.found()).isEmpty();
    }

    @Test
    void readsPageAfterPage() {
        EffectSearch search = search(put("p-1"));

        search.read(bundle(versions(100)));
        assertThat(search.nextPage()).contains(HISTORY + 100);
        Bundle capped = bundle(versions(50));
        capped.addLink().setRelation("next").setUrl("http://elsewhere.example/");
        search.read(capped);
        assertThat(search.nextPage()).contains(HISTORY + 150);
        search.read(bundle(versions(99)));
        assertThat(search.nextPage()).isEmpty();
        assertThat(search.isUnclear()).isFalse();
    }

    @Test
    void leavesAnEndlessHistoryAsUnclear() {
        EffectSearch search = search(put("p-1"), put("p-2"));

        for (int page = 0; page < 50; page++) {
            search.read(bundle(versions(100)));
        }

        assertThat(search.nextPage()).contains(HISTORY.replace("p-1", "p-2") + 0);
        assertThat(search.isUnclear()).isTrue();
    }

    @Test
    void readsTheHistoryOfAFoundResourceThatChangedSince() {
        EffectSearch search = search(create(2));

        search.read(bundle(version("7", "1", "#" + OURS), version("8", "3", "#someOtherRequest")));

        assertThat(search.found()).containsExactly(new FhirVersion("Patient", "7", "1"));
        assertThat(search.nextPage()).contains(HISTORY.replace("p-1", "8") + 0);
        search.read(bundle(version("8", "3", "#someOtherRequest"), version("8", "2", "#" + OURS)));
        assertThat(search.found())
                .containsExactly(new FhirVersion("Patient", "7", "1"), new FhirVersion("Patient", "8", "2"));
        assertThat(search.nextPage()).isEmpty();
    }

    @Test
    void readsTheHistoryOfAResourceThatTheIntentMayHaveChangedTwice() {
        EffectSearch search = search(create(2));

        search.read(bundle(version("7", "2", "#" + OURS)));

        assertThat(search.nextPage()).contains(HISTORY.replace("p-1", "7") + 0);
    }

    @Test
    void ignoresAWarningOfTheServer() {
        EffectSearch search = search(create(1));
        Bundle page = bundle();
        page.addEntry().setResource(new OperationOutcome());
        page.addEntry();

        search.read(page);

        assertThat(search.found()).isEmpty();
        assertThat(search.nextPage()).isEmpty();
    }

    @Test
    void stopsAfterAnyPageAndContinuesThere() {
        FhirTarget[] targets = {put("p-1"), create(2), put("p-2")};
        EffectSearch first = search(targets);

        assertThat(first.next()).isZero();
        first.read(bundle());
        assertThat(first.next()).isEqualTo(1);
        first.read(bundle(version("8", "3", "#someOtherRequest")));
        assertThat(first.nextPage()).contains(HISTORY.replace("p-1", "8") + 0);
        // what the search has found belongs to its target
        assertThat(first.next()).isEqualTo(1);

        EffectSearch last = new EffectSearch(intent(2, true, Set.of(), targets));
        assertThat(last.nextPage()).contains(HISTORY.replace("p-1", "p-2") + 0);
        assertThat(last.isUnclear()).isTrue();
        last.skip();
        assertThat(last.next()).isEqualTo(3);
    }

    @Test
    void asksForTheRestOfAResourceThatIsChangedTwice() {
        FhirVersion noted = new FhirVersion("Patient", "p-1", "2");
        FhirTarget twice = new FhirTarget("PUT", "Patient", "p-1", 2);

        assertThat(new EffectSearch(intent(0, false, Set.of(noted), twice)).nextPage())
                .contains(HISTORY + 0);
        assertThat(new EffectSearch(intent(0, false, Set.of(noted, new FhirVersion("Patient", "p-1", "3")), twice))
                        .nextPage())
                .isEmpty();
    }

    @Test
    void aServerThatIgnoresTheSourceLeadsToNoHistories() {
        EffectSearch search = search(create(2));

        search.read(bundle(version("7", "1", "#" + OURS), version("8", "2", "#x"), version("9", "2", "urn:uuid:1")));

        assertThat(search.found()).containsExactly(new FhirVersion("Patient", "7", "1"));
        assertThat(search.nextPage()).isEmpty();
        assertThat(search.isUnclear()).isTrue();
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"urn:uuid:1", "https://clinic.example", "https://clinic.example#"})
    void aVersionThatNamesNoRequestMayBeOurs(String source) {
        EffectSearch search = search(put("p-1"));

        search.read(bundle(version("p-1", "4", source)));

        assertThat(search.found()).isEmpty();
        assertThat(search.isUnclear()).isTrue();
    }

    @Test
    void aVersionThatNamesNoRequestIsNoDelete() {
        EffectSearch search = search(delete("p-1"));

        search.read(bundle(version("p-1", "4", null)));

        assertThat(search.isUnclear()).isFalse();
    }

    @Test
    void aVersionWithoutANumberIsUnclear() {
        EffectSearch search = search(put("p-1"));

        search.read(bundle(version("p-1", null, "#" + OURS)));

        assertThat(search.found()).isEmpty();
        assertThat(search.isUnclear()).isTrue();
    }

    @Test
    void attributesNoDeleteOfAServerThatShowsOlderVersions() {
        EffectSearch search = search(delete("p-1"));
        BundleEntryComponent older = version("p-1", "1", "#x");
        older.getResource().getMeta().setLastUpdated(Date.from(CREATED.minusSeconds(3600)));

        search.read(bundle(deleted("Patient/p-1/_history/2"), older));

        assertThat(search.deletes()).isEmpty();
        assertThat(search.isUnclear()).isTrue();
    }

    @Test
    void skipsADeleteThatShowsAnOlderTime() {
        EffectSearch search = search(delete("p-1"));
        BundleEntryComponent older = deleted("Patient/p-1/_history/2");
        older.getResponse().setLastModified(Date.from(CREATED.minusSeconds(3600)));
        BundleEntryComponent newer = deleted("Patient/p-1/_history/4");
        newer.getResponse().setLastModified(Date.from(CREATED.plusSeconds(1)));

        search.read(bundle(newer, older));

        assertThat(search.deletes()).containsExactly(new FhirVersion("Patient", "p-1", "4"));
        assertThat(search.isUnclear()).isFalse();
    }

    @Test
    void asksForNothingThatIsNoted() {
        EffectSearch search = new EffectSearch(intent(
                0,
                false,
                Set.of(new FhirVersion("Patient", "p-1", "2"), new FhirVersion("Basic", "p-2", "2")),
                put("p-1"),
                put("p-2")));

        assertThat(search.nextPage()).contains(HISTORY.replace("p-1", "p-2") + 0);
        search.skip();
        assertThat(search.nextPage()).isEmpty();
        assertThat(search.isUnclear()).isFalse();
    }

    private static EffectSearch search(FhirTarget... targets) {
        return new EffectSearch(intent(0, false, Set.of(), targets));
    }

    private static OpenIntent intent(int asked, boolean unclear, Set<FhirVersion> noted, FhirTarget... targets) {
        return new OpenIntent(
                OURS,
                "default",
                CREATED,
                false,
                false,
                List.of(targets),
                noted,
                new OpenIntent.Progress(asked, unclear, 0, 1),
                CREATED);
    }

    private static FhirTarget put(String id) {
        return new FhirTarget("PUT", "Patient", id, 1);
    }

    private static FhirTarget delete(String id) {
        return new FhirTarget("DELETE", "Patient", id, 1);
    }

    private static FhirTarget create(int count) {
        return new FhirTarget("POST", "Patient", null, count);
    }

    private static BundleEntryComponent[] versions(int count) {
        return IntStream.range(0, count)
                .mapToObj(n -> version("p-1", "v" + n, "#someOtherRequest"))
                .toArray(BundleEntryComponent[]::new);
    }

    private static BundleEntryComponent version(String id, String version, String source) {
        Patient patient = new Patient();
        patient.setId(id);
        patient.getMeta().setVersionId(version).setSource(source);
        BundleEntryComponent entry = new BundleEntryComponent().setResource(patient);
        entry.getRequest().setMethod(HTTPVerb.PUT).setUrl("Patient/" + id);
        return entry;
    }

    private static BundleEntryComponent deleted(String url) {
        BundleEntryComponent entry = new BundleEntryComponent();
        entry.getRequest().setMethod(HTTPVerb.DELETE).setUrl(url);
        return entry;
    }

    private static Bundle bundle(BundleEntryComponent... entries) {
        Bundle bundle = new Bundle();
        List.of(entries).forEach(bundle::addEntry);
        return bundle;
    }
}
