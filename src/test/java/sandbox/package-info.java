/**
 * The servers that the runtime needs, started from Maven artifacts: no Docker, nothing to install.
 *
 * <p>The local run and the integration tests meet the same real servers here, so what is green in a test was green against Kafka, PostgreSQL and a
 * schema registry, not against a stand-in. Each server is a process of its own with a class path of its own, resolved at run time: nothing of it can
 * shift a version of the runtime. A further server is one more implementation of {@link sandbox.Server}.
 */
package sandbox;
