package bench;

import java.util.HashMap;
import java.util.Map;

/** Runs a side that is a hand-written loop on one thread. */
abstract class HandWrittenLoop implements Side {

    protected volatile boolean stopping;
    private Thread thread;

    /** @return the options {@code --name=value}, as the runtime takes them */
    static Map<String, String> options(String[] args) {
        Map<String, String> options = new HashMap<>();
        for (String argument : args) {
            String[] pair = argument.substring(2).split("=", 2);
            options.put(pair[0], pair[1]);
        }
        return options;
    }

    /** Runs until {@link #stopping}, then finishes its work. */
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
