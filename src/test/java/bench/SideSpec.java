package bench;

import java.util.Set;

/**
 * What a side is, apart from its process.
 *
 * @param name as in the tables
 * @param workloads that it takes part in
 * @param slowOn workloads of which it gets fewer records, because it takes milliseconds for each
 * @param peer whether others have made what it is built on: a check that it fails is a result, where for ours and for the raw loops it
 *     is the end of the bench
 */
record SideSpec(String name, Set<String> workloads, Set<String> slowOn, boolean peer) {

    boolean isSlowOn(String workload) {
        return slowOn.contains(workload);
    }
}
