package bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * One side of a comparison, in a process of its own that lives through all rounds. It is told what to do on its standard input, a line
 * each: {@code start <source topic> <sink> <group>} and {@code stop}. It says {@code ready} when it listens, and from then on answers with its work alone: what rests in the sink and which
 * offsets are committed is seen from outside, alike for every side.
 */
interface Side {

    String READY = "ready";

    /** Reads the topic from its beginning and goes on until it is stopped. */
    void start(String source, String sink, String group) throws Exception;

    /** Finishes what it has read, commits, and leaves the group. */
    void stop() throws Exception;

    /** Obeys until the end of the input; whatever fails ends the process. */
    static void serve(Side contender) throws IOException {
        System.out.println(READY);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try {
            for (String line; (line = in.readLine()) != null; ) {
                String[] words = line.split(" ");
                if (words[0].equals("start")) {
                    contender.start(words[1], words[2], words[3]);
                } else {
                    contender.stop();
                }
            }
            System.exit(0);
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
    }
}
