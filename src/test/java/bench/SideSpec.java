package bench;

import java.util.Set;

/**
 * Describes a side.
 *
 * @param name as in the tables
 * @param workloads that the side takes part in
 * @param slowOn workloads with fewer records for this side, because it takes milliseconds for each
 * @param peer whether others made its base. A failed check of a peer is a result, one of ours ends the bench
 */
record SideSpec(String name, Set<String> workloads, Set<String> slowOn, boolean peer) {

    boolean isSlowOn(String workload) {
        return slowOn.contains(workload);
    }
}
