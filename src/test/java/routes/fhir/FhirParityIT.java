package routes.fhir;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import ca.uhn.fhir.rest.api.EncodingEnum;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import routes.RawHttp;

/**
 * Holds the same conversations with the FHIR server and with the facade, and compares the transcripts. They differ in
 * addresses, ids and times, and where {@link #OWN_WORDS} and {@link #DIFFERENT} say so.
 */
class FhirParityIT extends FhirIT {

    /** Steps that the facade refuses itself, with the status of the server. */
    private static final Set<String> OWN_WORDS = Set.of(
            "a failing transaction: a bundle of another type",
            "mistakes: an unknown type",
            "mistakes: search an unknown type",
            "mistakes: create an unknown type",
            "mistakes: a malformed id",
            "mistakes: malformed JSON",
            "mistakes: malformed XML",
            "mistakes: a body that is no resource",
            "mistakes: an empty body",
            "mistakes: a resource of another type",
            "mistakes: a resource with another id",
            "mistakes: delete a type",
            "mistakes: put a type");

    /** Steps that the facade answers in another way on purpose (ADR 20), with its status. */
    private static final Map<String, Integer> DIFFERENT = Map.ofEntries(
            // it closes what would show or change more than scopes can say
            entry("mistakes: search all types", 403),
            entry("mistakes: an operation that is closed", 403),
            entry("mistakes: a subscription", 403),
            // a closed type would come out too
            entry("history: of the server", 403),
            entry("linked resources: _include all", 403),
            entry("linked resources: _revinclude all", 403),
            entry("linked resources: an unknown include", 403),
            // it knows no page that it has not given to the caller
            entry("pages: a page that is gone", 404),
            // it takes the paths and methods of FHIR alone, and says so by HTTP's status
            entry("mistakes: a path that is too long", 404),
            entry("mistakes: post to an instance", 405),
            entry("mistakes: an unknown method", 405),
            entry("mistakes: plain text", 415),
            // FHIR has HEAD where it has GET
            entry("HEAD: search", 200));

    private static final Pattern STATUS = Pattern.compile("HTTP (\\d{3})");

    static Stream<Arguments> conversations() {
        return Stream.concat(WriteConversations.all().stream(), ReadConversations.all().stream())
                .flatMap(conversation -> Stream.of(EncodingEnum.JSON, EncodingEnum.XML)
                        .map(encoding -> Arguments.of(conversation, encoding)));
    }

    @ParameterizedTest(name = "{0}, in {1}")
    @MethodSource("conversations")
    void answersAsTheServer(Conversation conversation, EncodingEnum encoding) {
        Transcript expected = transcript(server, null, conversation, encoding);
        Transcript answered = transcript(facade(), token(ALL), conversation, encoding);

        assertThat(differences(conversation, expected, answered)).isEmpty();
        assertThat(answered.received()).noneMatch(FhirParityIT::namesTheServer);
    }

    @Test
    void keepsEachByteOfAnUpload() {
        FhirCaller caller = new FhirCaller(facade(), token(ALL), EncodingEnum.JSON);
        String content = "%%PDF-1.4 %s/Patient/1 %s/Patient/2".formatted(facade(), server);
        RawHttp.Answer created = caller.send("upload", "POST /Binary", content, "Content-Type: application/pdf");
        String path =
                FhirCaller.header(created, "Location").substring(caller.base().length());

        RawHttp.Answer read = caller.send("read", "GET " + path, null, "Accept: */*");

        assertThat(read.body()).isEqualTo(content);
        assertThat(FhirCaller.header(read, "Content-Type")).isEqualTo("application/pdf");
        assertThat(FhirCaller.header(read, "Content-Disposition")).startsWith("Attachment");
    }

    /** The server decodes what follows the address, and would answer with its own one. */
    @Test
    void doesNotTellTheServersAddressBehindAnEscape() {
        FhirCaller caller = new FhirCaller(facade(), token(ALL), EncodingEnum.JSON);
        String address = caller.base();
        caller.send(
                "create",
                "POST /Patient",
                """
                {"resourceType": "Patient", "name": [{"text": "%1$s\\u0041"}, {"text": "%1$s:"}, {"text": "%1$s/x"}],
                 "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>%1$s&#65; %1$s&#x2d;</div>"}}"""
                        .formatted(address));
        caller.send("search", "GET /Patient?identifier=" + address + "%41%7Cx", null);
        caller.send(
                "search in a bundle",
                "POST ",
                """
                {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient?identifier=%s%%41"}}]}"""
                        .formatted(address));

        assertThat(caller.transcript().received())
                .noneMatch(FhirParityIT::namesTheServer)
                .anyMatch(answer -> answer.contains(address + "A") && answer.contains(address + "/x"));
    }

    private static Transcript transcript(
            URI target, String authorization, Conversation conversation, EncodingEnum encoding) {
        FhirCaller caller = new FhirCaller(target, authorization, encoding);
        conversation.steps().accept(caller);
        return caller.transcript();
    }

    private static List<String> differences(Conversation conversation, Transcript expected, Transcript answered) {
        assertThat(answered.steps().keySet()).isEqualTo(expected.steps().keySet());
        List<String> differences = new ArrayList<>();
        expected.steps().forEach((step, text) -> {
            String name = conversation + ": " + step;
            String other = answered.steps().get(step);
            if (!isAsExpected(name, text, other)) {
                differences.add("%n%s%n--- server%n%s--- facade%n%s".formatted(name, text, other));
            }
        });
        return differences;
    }

    private static boolean isAsExpected(String name, String server, String facade) {
        if (DIFFERENT.containsKey(name)) {
            return status(facade) == DIFFERENT.get(name)
                    && status(server) != status(facade)
                    && (status(facade) < 400 || isOutcome(facade));
        }
        if (OWN_WORDS.contains(name)) {
            return status(facade) == status(server) && !facade.equals(server) && isOutcome(facade);
        }
        return facade.equals(server);
    }

    private static int status(String answer) {
        var status = STATUS.matcher(answer);
        assertThat(status.find()).isTrue();
        return Integer.parseInt(status.group(1));
    }

    private static boolean isOutcome(String answer) {
        return answer.contains("OperationOutcome");
    }

    private static boolean namesTheServer(String text) {
        return text.contains(server.getAuthority())
                || text.toLowerCase().contains(server.getAuthority().replace(":", "%3a"));
    }
}
