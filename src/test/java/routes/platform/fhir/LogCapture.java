package routes.platform.fhir;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.AppenderBase;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.io.ClassPathResource;

/** Collects the lines of the log, with the stack traces. */
final class LogCapture extends AppenderBase<ILoggingEvent> implements AutoCloseable {

    private static final String LEVEL = "logging.level.";

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    private final List<Appender<ILoggingEvent>> appenders = new ArrayList<>();
    private final Map<Logger, Level> before = new HashMap<>();

    /** Collects every line that application.yaml does not switch off, as after {@code logging.level.root=trace}. */
    static LogCapture ofEverything() throws IOException {
        LogCapture capture = new LogCapture();
        capture.setContext(capture.context);
        capture.start();
        MapPropertySource yaml = (MapPropertySource) new YamlPropertySourceLoader()
                .load("application", new ClassPathResource("application.yaml"))
                .get(0);
        for (String name : yaml.getPropertyNames()) {
            if (name.startsWith(LEVEL)) {
                capture.level(
                        name.substring(LEVEL.length()),
                        Level.toLevel(yaml.getProperty(name).toString()));
            }
        }
        Logger root = capture.level(org.slf4j.Logger.ROOT_LOGGER_NAME, Level.TRACE);
        root.iteratorForAppenders().forEachRemaining(capture.appenders::add);
        capture.appenders.forEach(root::detachAppender);
        root.addAppender(capture);
        return capture;
    }

    private Logger level(String name, Level level) {
        Logger logger = context.getLogger(name);
        before.putIfAbsent(logger, logger.getLevel());
        logger.setLevel(level);
        return logger;
    }

    List<String> lines() {
        return lines;
    }

    @Override
    protected void append(ILoggingEvent event) {
        IThrowableProxy thrown = event.getThrowableProxy();
        lines.add("%s %s %s%s"
                .formatted(
                        event.getLevel(),
                        event.getLoggerName(),
                        event.getFormattedMessage(),
                        thrown == null ? "" : "\n" + ThrowableProxyUtil.asString(thrown)));
    }

    @Override
    public void close() {
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.detachAppender(this);
        appenders.forEach(root::addAppender);
        before.forEach(Logger::setLevel);
        stop();
    }
}
