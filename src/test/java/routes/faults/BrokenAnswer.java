package routes.faults;

import static routes.faults.FhirDouble.write;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;

/** The ways in which a FHIR server gives no answer of FHIR. All of them tell of a patient. */
enum BrokenAnswer {
    CLOSES_WITHOUT_AN_ANSWER(503, (call, out) -> call.body()),
    SPEAKS_NO_HTTP(503, (call, out) -> write(out, Canary.NAME + " lives in " + Canary.STREET + "\r\n\r\n")),
    SENDS_A_PAGE_OF_HTML(503, text("200 OK", "text/html", page())),
    IS_BEHIND_A_PROXY_THAT_MISSES_IT(503, text("502 Bad Gateway", "text/html", page())),
    IS_PLAIN_TEXT(503, text("500 " + Canary.NAME, "text/plain", Canary.NAME)),
    SENDS_NO_JSON(503, text("200 OK", "application/fhir+json", Canary.NAME)),
    SENDS_HTML_AS_JSON(503, text("200 OK", "application/fhir+json", page())),
    SENDS_COMPRESSED_BYTES(
            503,
            (call, out) -> write(
                    out,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Encoding: gzip\r\n"
                            + "Content-Length: 4\r\n\r\n\u001f{}}")),
    FAILS_WITHOUT_A_BODY(
            503, (call, out) -> write(out, "HTTP/1.1 500 " + Canary.NAME + "\r\nContent-Length: 0\r\n\r\n")),
    REDIRECTS(
            503,
            (call, out) -> write(
                    out,
                    "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/?name=" + Canary.NAME
                            + "\r\nContent-Length: 0\r\n\r\n")),
    REFUSES_OUR_CREDENTIALS(503, text("401 Unauthorized", "application/fhir+json", patient())),
    BREAKS_OFF_IN_THE_HEAD(503, (call, out) -> write(out, "HTTP/1.1 200 OK\r\nX-Patient: " + Canary.NAME)),
    BREAKS_OFF_IN_THE_BODY(
            503,
            (call, out) -> write(
                    out,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 5000\r\n\r\n"
                            + patient())),
    BREAKS_OFF_IN_A_CHUNK(
            503,
            (call, out) -> write(
                    out,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n"
                            + patient())),
    SENDS_CHUNKS_WITHOUT_SIZE(
            503,
            (call, out) -> write(
                    out,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n"
                            + Canary.NAME + "\r\n")),
    SENDS_HEADERS_WITHOUT_END(503, (call, out) -> {
        write(out, "HTTP/1.1 200 OK\r\n");
        while (true) {
            write(out, "X-Patient: " + Canary.NAME + "\r\n");
        }
    }),
    SENDS_A_HEADER_WITHOUT_END(503, (call, out) -> {
        write(out, "HTTP/1.1 200 OK\r\nX-Patient: ");
        while (true) {
            write(out, Canary.NAME);
        }
    }),
    NEVER_ANSWERS(504, (call, out) -> TimeUnit.HOURS.sleep(1)),
    ANSWERS_THAT_IT_CONTINUES(504, (call, out) -> {
        while (true) {
            write(out, "HTTP/1.1 100 " + Canary.NAME + "\r\n\r\n");
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }),
    TRICKLES_ITS_HEAD(504, (call, out) -> trickle(out, "HTTP/1.1 200 " + Canary.NAME.repeat(100))),
    TRICKLES_ITS_BODY(504, (call, out) -> {
        write(out, "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n");
        trickle(out, patient().repeat(100));
    });

    /** What the caller gets instead. */
    final int status;

    final FhirDouble.Answer answer;

    BrokenAnswer(int status, FhirDouble.Answer answer) {
        this.status = status;
        this.answer = answer;
    }

    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }

    private static FhirDouble.Answer text(String status, String type, String body) {
        return (call, out) -> {
            call.body();
            write(
                    out,
                    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                            .formatted(status, type, body.length(), body));
        };
    }

    private static void trickle(OutputStream out, String text) throws IOException, InterruptedException {
        for (char one : text.toCharArray()) {
            write(out, String.valueOf(one));
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private static String page() {
        return "<html><body>" + Canary.NAME + "</body></html>";
    }

    private static String patient() {
        return Canary.patient("p-1");
    }
}
