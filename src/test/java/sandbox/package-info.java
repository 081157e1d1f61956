/**
 * Starts the servers of the runtime from Maven artifacts, without Docker and without an installation.
 *
 * <p>The local run and the integration tests use the same real servers, not stand-ins. Each server is a process with
 * its own class path, resolved at run time, so it shifts no library version of the runtime. A further server is one
 * more {@link sandbox.Server}.
 */
package sandbox;
