package bench;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.entity.ContentType;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/**
 * Requests of one kind to a FHIR server or the facade.
 *
 * @param clients that send one request after the other
 */
record FhirLoad(Kind kind, int clients, int count) {

    /** The patients of a family, of which a page shows half. */
    static final int FAMILY = 40;

    static final int PAGE = 20;

    private static final ContentType JSON = ContentType.create("application/fhir+json", StandardCharsets.UTF_8);

    /** Observations of each transaction, beside their patient. */
    private static final int OBSERVATIONS = 19;

    enum Kind {
        /** A patient of 1 KB. */
        CREATE("create", 1, 1),
        READ("read", 0, 2),
        /** A search of a family, with a page of 20 patients. */
        SEARCH("search", 0, 0.25),
        /** A patient and 19 observations. */
        TRANSACTION("transaction", 1 + OBSERVATIONS, 0.25);

        private final String label;
        private final int resources;

        /** The number of its requests, compared with creates: fewer of those that take long. */
        private final double share;

        Kind(String label, int resources, double share) {
            this.label = label;
            this.resources = resources;
            this.share = share;
        }

        @Override
        public String toString() {
            return label;
        }

        boolean isWrite() {
            return resources > 0;
        }

        /** Returns how many resources a request makes. */
        int resources() {
            return resources;
        }
    }

    /**
     * An address that serves FHIR.
     *
     * @param authorization header of the requests, or null
     */
    record Target(URI base, String authorization) {}

    /** @param creates the number of creates that such a load would have */
    static FhirLoad share(Kind kind, int clients, int creates) {
        return new FhirLoad(kind, clients, Math.max(1, (int) (creates * kind.share)));
    }

    String name() {
        return kind + " by " + clients + (clients == 1 ? " client" : " clients");
    }

    /** Keeps a connection for each client. */
    static CloseableHttpClient http(int clients) {
        return HttpClients.custom()
                .setMaxConnPerRoute(clients)
                .setMaxConnTotal(2 * clients)
                .disableAutomaticRetries()
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableContentCompression()
                .disableAuthCaching()
                .build();
    }

    /**
     * @param patients ids to read
     * @throws IllegalStateException for an answer without success
     */
    Clients.Latencies send(CloseableHttpClient http, Target target, List<String> patients) throws Exception {
        return Clients.send(clients, 0, count, i -> answer(http, target, request(target.base(), patients, i)));
    }

    /** Returns the answer to one request of this load. */
    byte[] sendOne(CloseableHttpClient http, Target target, List<String> patients) throws IOException {
        return answer(http, target, request(target.base(), patients, 0));
    }

    private HttpUriRequest request(URI base, List<String> patients, int number) {
        return switch (kind) {
            case CREATE -> post(base + "/Patient", patient("Created", number));
            case READ -> new HttpGet(base + "/Patient/" + patients.get(number % patients.size()));
            case SEARCH ->
                new HttpGet("%s/Patient?family=%s&_count=%d"
                        .formatted(base, family(number % (patients.size() / FAMILY)), PAGE));
            case TRANSACTION -> post(base.toString(), transaction(number, OBSERVATIONS));
        };
    }

    static String family(int number) {
        return "Family" + (char) ('A' + number);
    }

    static HttpPost post(String url, String body) {
        HttpPost post = new HttpPost(url);
        post.setEntity(new ByteArrayEntity(body.getBytes(StandardCharsets.UTF_8), JSON));
        return post;
    }

    static byte[] answer(CloseableHttpClient http, Target target, HttpUriRequest request) throws IOException {
        if (target.authorization() != null) {
            request.setHeader("Authorization", target.authorization());
        }
        try (CloseableHttpResponse answer = http.execute(request)) {
            byte[] body = EntityUtils.toByteArray(answer.getEntity());
            int status = answer.getStatusLine().getStatusCode();
            if (status != 200 && status != 201) {
                throw new IllegalStateException(
                        "%s answered %d %s".formatted(target.base(), status, new String(body, StandardCharsets.UTF_8)));
            }
            return body;
        }
    }

    /** Returns a patient of about 1 KB. */
    static String patient(String family, int number) {
        return """
                {"resourceType":"Patient","active":true,
                 "identifier":[{"use":"usual","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},
                  "system":"https://clinic.example/mrn","value":"mrn-%2$d"}],
                 "name":[{"use":"official","family":"%1$s","given":["Maria","Theresa"],"prefix":["Dr."]},{"use":"usual","given":["Resi"]}],
                 "telecom":[{"system":"phone","value":"(02) 5550 %2$04d","use":"home","rank":1},{"system":"email","value":"patient-%2$d@mail.example"}],
                 "gender":"female","birthDate":"1961-04-27","deceasedBoolean":false,
                 "address":[{"use":"home","type":"both","text":"%2$d Erewhon Street, Pleasantville","line":["%2$d Erewhon Street"],
                  "city":"Pleasantville","district":"Rainbow","state":"Vic","postalCode":"3999","period":{"start":"1994-12-25"}}],
                 "contact":[{"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":"N"}]}],
                  "name":{"family":"%1$s","given":["Franz"]},"telecom":[{"system":"phone","value":"+33 (237) 998327"}]}],
                 "communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"de-AT"}]},"preferred":true}]}"""
                .formatted(family, number);
    }

    /** Returns a transaction that creates a patient and observations of it. */
    static String transaction(int number, int observations) {
        return """
                {"resourceType":"Bundle","type":"transaction","entry":[
                 {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":%s,
                  "request":{"method":"POST","url":"Patient"}},
                 %s]}"""
                .formatted(
                        patient("Transacted", number),
                        IntStream.range(0, observations)
                                .mapToObj(FhirLoad::observation)
                                .collect(Collectors.joining(",\n ")));
    }

    private static String observation(int number) {
        return """
                {"resource":{"resourceType":"Observation","status":"final",
                  "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
                  "code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}],"text":"Heart rate"},
                  "subject":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000001"},
                  "effectiveDateTime":"2026-11-%02dT08:00:00+01:00",
                  "valueQuantity":{"value":%d,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"}},
                  "request":{"method":"POST","url":"Observation"}}"""
                .formatted(1 + number % 28, 60 + number % 40);
    }
}
