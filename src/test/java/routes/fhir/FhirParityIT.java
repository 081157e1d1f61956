package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import ca.uhn.fhir.rest.api.EncodingEnum;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

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
    private static final Map<String, Integer> DIFFERENT = Map.of(
            // it closes what would show or change more than scopes can say
            "mistakes: search all types", 403,
            "mistakes: an operation that is closed", 403,
            "mistakes: a subscription", 403,
            // it knows no page that it has not given to the caller
            "pages: a page that is gone", 404,
            // it takes the paths and methods of FHIR alone, and says so by HTTP's status
            "mistakes: a path that is too long", 404,
            "mistakes: post to an instance", 405,
            "mistakes: an unknown method", 405,
            "mistakes: plain text", 415,
            // FHIR has HEAD where it has GET
            "HEAD: search", 200);

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
