package routes.platform.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import org.springframework.boot.logging.LoggingSystem;

class FhirLogLevelsTest {

    private static Logger logger(String name) {
        return (Logger) LoggerFactory.getLogger(name);
    }

    private static void apply() {
        new FhirLogLevels(LoggingSystem.get(FhirLogLevelsTest.class.getClassLoader()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "org.apache.http",
                "org.apache.http.wire",
                "org.apache.http.impl.execchain.MainClientExec",
                "ca.uhn.fhir.rest.client",
                "org.apache.camel.component.fhir",
                "org.apache.camel.support.component",
                "routes.platform.fhir.TenantFhirProducer"
            })
    void raisesALevelThatLogsPatients(String name) {
        Level before = logger(name).getLevel();
        logger(name).setLevel(Level.TRACE);
        try {
            apply();

            assertThat(logger(name).isDebugEnabled()).isFalse();
            assertThat(logger(name + ".Other").isDebugEnabled()).isFalse();
        } finally {
            logger(name).setLevel(before);
        }
    }

    @Test
    void leavesOtherLevelsAlone() {
        Logger other = logger("org.apache.httpd");
        Logger quiet = logger("org.apache.http.quiet");
        other.setLevel(Level.TRACE);
        quiet.setLevel(Level.OFF);

        apply();

        assertThat(other.getLevel()).isEqualTo(Level.TRACE);
        assertThat(quiet.getLevel()).isEqualTo(Level.OFF);
        other.setLevel(null);
        quiet.setLevel(null);
    }
}
