package bench;

import java.util.HashMap;
import java.util.Map;

/** A side that is a loop by hand, on one thread. */
abstract class HandWrittenLoop implements Side {

    protected volatile boolean stopping;
    private Thread thread;

    /** @return what was given as {@code --name=value}, as to the runtime */
    static Map<String, String> options(String[] args) {
        Map<String, String> options = new HashMap<>();
        for (String argument : args) {
            String[] pair = argument.substring(2).split("=", 2);
            options.put(pair[0], pair[1]);
        }
        return options;
    }

    /** Goes on until {@link #stopping}, and ends what it has begun. */
    abstract void run(String source, String sink, String group) throws Exception;

    @Override
    public final void start(String source, String sink, String group) {
        stopping = false;
        thread = new Thread(() -> {
            try {
                run(source, sink, group);
            } catch (Throwable e) {
                e.printStackTrace();
                Runtime.getRuntime().halt(1);
            }
        });
        thread.start();
    }

    @Override
    public final void stop() throws InterruptedException {
        stopping = true;
        thread.join();
    }
}
