package sandbox;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * One kind of server: what it is made of, how it is started, how one sees that it is ready. It holds no process; {@link ServerProcess} runs it, which is
 * the same for all kinds.
 */
interface Server {

    /** One word in kebab-case: the name of its directory and log file, and of its port's property {@code sandbox.<name>.port}. */
    String name();

    /** The port of the contract, on which the local run offers it. */
    int contractPort();

    /**
     * Makes the software available on this machine, downloading it when it is not there yet.
     *
     * @return what {@link Site#software()} shall hold: class path or directories
     * @throws SandboxException when an artifact cannot be had
     */
    List<Path> install();

    /** Lays out an empty data directory, once. A run that was broken off is repeated on an empty directory. */
    void format(Site site) throws Exception;

    /** The command that runs the server in the foreground. */
    Launch launch(Site site) throws Exception;

    /**
     * Asks the server itself, as a client would. Called again and again while the server starts.
     *
     * @return true when clients are served; false or any exception when not yet
     */
    boolean ready(Site site) throws Exception;

    /** The signal, as {@code kill -s} takes it, on which the server closes its files and ends without waiting for its clients. */
    default String stopSignal() {
        return "TERM";
    }

    /** Where clients find it, as a person would write it. */
    String address(int port);

    /** What the runtime must know to reach it: Spring property names and values. */
    Map<String, String> properties(int port);

    /**
     * What one server was given.
     *
     * @param software what {@link #install()} returned
     * @param data     its own directory, absolute
     * @param port     its port on the loopback address
     */
    record Site(List<Path> software, Path data, int port) {

        /** A directory for what need not be kept; emptied before every start, as a killed server tidies up nothing. */
        Path temporary() {
            return data.resolve("temporary");
        }
    }
}
