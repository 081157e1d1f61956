package sandbox;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Describes one kind of server: its software, its start, its readiness. {@link ServerProcess} runs all kinds alike and
 * holds the process.
 */
interface Server {

    /**
     * Returns one word in kebab-case: the name of its directory, its log, and its property {@code sandbox.<name>.port}.
     */
    String name();

    /** Returns the port of the contract, which the local run uses. */
    int contractPort();

    /**
     * Installs the software, and downloads it when needed.
     *
     * @return class path or directories, for {@link Site#software()}
     * @throws SandboxException when an artifact is not available
     */
    List<Path> install();

    /** Formats an empty data directory once. After an interruption the next run formats again. */
    void format(Site site) throws Exception;

    /** Returns the command that runs the server in the foreground. */
    Launch launch(Site site) throws Exception;

    /**
     * Asks the server as a client would. The caller repeats this while the server starts.
     *
     * @return true when it serves clients; false or any exception before
     */
    boolean ready(Site site) throws Exception;

    /** Returns the signal, as {@code kill -s} takes it, for a clean end without waiting for clients. */
    default String stopSignal() {
        return "TERM";
    }

    /** Returns the address for clients, as a person would write it. */
    String address(int port);

    /** Returns the Spring properties that point the runtime to it. */
    Map<String, String> properties(int port);

    /**
     * Holds the place of one server.
     *
     * @param software result of {@link #install()}
     * @param data its own directory, absolute
     * @param port its port on the loopback address
     */
    record Site(List<Path> software, Path data, int port) {

        /** Returns a directory for temporary files, emptied before every start. */
        Path temporary() {
            return data.resolve("temporary");
        }
    }
}
