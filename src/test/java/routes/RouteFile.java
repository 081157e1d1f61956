package routes;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Names the file of a {@link RouteTest}, the routes of it that run, and the sinks that mocks replace. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface RouteFile {

    /** The word of the pattern: {@code pubsub} is {@code camel/pubsub.camel.yaml}. */
    String value();

    /** Ids, each with {@code *} at the end for any. */
    String[] routes() default "*";

    /** Regular expressions of the URIs that a mock replaces. */
    String[] sinks();
}
