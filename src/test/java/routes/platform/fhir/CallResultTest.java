package routes.platform.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.stream.Stream;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.http.NoHttpResponseException;
import org.apache.http.conn.ConnectTimeoutException;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class CallResultTest {

    @ParameterizedTest
    @CsvSource({
        "200, OK, NOT_FHIR",
        "204, OK, NOT_FHIR",
        "304, OK, NOT_FHIR",
        "100, NOT_FHIR, NOT_FHIR",
        "302, NOT_FHIR, NOT_FHIR",
        "400, REFUSED, REFUSED",
        "401, CREDENTIALS_REFUSED, CREDENTIALS_REFUSED",
        "403, NOT_BEGUN, NOT_BEGUN",
        "404, GONE, NOT_FHIR",
        "405, REFUSED, REFUSED",
        "408, FAILED, FAILED",
        "409, CONFLICT, CONFLICT",
        "410, GONE, NOT_FHIR",
        "412, CONFLICT, CONFLICT",
        "413, REFUSED, REFUSED",
        "422, REFUSED, REFUSED",
        "429, NOT_BEGUN, NOT_BEGUN",
        "500, FAILED, NOT_FHIR",
        "501, REFUSED, REFUSED",
        "502, FAILED, NO_SERVER",
        "503, FAILED, NO_SERVER",
        "504, FAILED, NOT_FHIR"
    })
    void judgesAnAnswer(int status, CallResult ofFhir, CallResult ofAProxy) {
        assertThat(CallResult.ofAnswer(status, true)).isEqualTo(ofFhir);
        assertThat(CallResult.ofAnswer(status, false)).isEqualTo(ofAProxy);
    }

    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of(new ConnectException(), CallResult.UNREACHABLE),
                Arguments.of(new ConnectTimeoutException(), CallResult.UNREACHABLE),
                Arguments.of(new UnknownHostException(), CallResult.UNREACHABLE),
                Arguments.of(new NoRouteToHostException(), CallResult.UNREACHABLE),
                Arguments.of(new SSLHandshakeException(""), CallResult.UNREACHABLE),
                Arguments.of(new SSLPeerUnverifiedException(""), CallResult.UNREACHABLE),
                Arguments.of(new ConnectionPoolTimeoutException(), CallResult.NO_FREE_CONNECTION),
                Arguments.of(new SocketTimeoutException(), CallResult.SLOW),
                Arguments.of(new SocketException(), CallResult.BROKEN_OFF),
                Arguments.of(new NoHttpResponseException(""), CallResult.BROKEN_OFF),
                Arguments.of(new EOFException(), CallResult.BROKEN_OFF),
                Arguments.of(new AnswerTooLargeException(), CallResult.NOT_READABLE));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void judgesACallWithoutAnAnswer(IOException failure, CallResult result) {
        assertThat(CallResult.ofFailure(failure)).isEqualTo(result);
    }

    @ParameterizedTest
    @EnumSource
    void neverShowsBothThatAServerIsDownAndThatItAnswers(CallResult result) {
        assertThat(result.showsThatServerAnswers() && result.showsThatServerIsDown())
                .isFalse();
    }
}
