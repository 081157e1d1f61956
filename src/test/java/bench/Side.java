package bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * One side of a comparison, in a process of its own that lives through all rounds. It reads orders from its standard
 * input, one per line: {@code start <source topic> <sink> <group>} and {@code stop}. It prints {@code ready} once it
 * listens. The bench then sees its work from outside only: the sink and the committed offsets.
 */
interface Side {

    String READY = "ready";

    /** Reads the topic from its beginning until {@link #stop}. */
    void start(String source, String sink, String group) throws Exception;

    /** Finishes the records that it has read, commits, and leaves the group. */
    void stop() throws Exception;

    /** Follows orders until the end of the input. A failure ends the process. */
    static void serve(Side side) throws IOException {
        System.out.println(READY);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try {
            for (String line; (line = in.readLine()) != null; ) {
                String[] words = line.split(" ");
                if (words[0].equals("start")) {
                    side.start(words[1], words[2], words[3]);
                } else {
                    side.stop();
                }
            }
            System.exit(0);
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
    }
}
