package sandbox;

/** Tells the JVMs apart that run integration tests at the same time. */
final class TestJvm {

    /** Counts from 1. */
    static final int NUMBER = Integer.getInteger("test.jvm", 1);

    private TestJvm() {}
}
