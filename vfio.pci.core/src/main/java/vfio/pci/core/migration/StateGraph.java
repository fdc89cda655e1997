// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import static vfio.pci.api.migration.MigrationState.ERROR;
import static vfio.pci.api.migration.MigrationState.PRE_COPY;
import static vfio.pci.api.migration.MigrationState.PRE_COPY_P2P;
import static vfio.pci.api.migration.MigrationState.RESUMING;
import static vfio.pci.api.migration.MigrationState.RUNNING;
import static vfio.pci.api.migration.MigrationState.RUNNING_P2P;
import static vfio.pci.api.migration.MigrationState.STOP;
import static vfio.pci.api.migration.MigrationState.STOP_COPY;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;

/// Which migration state may follow on which, and the shortest way between two.
///
/// The arcs are those of Linux (`linux/vfio.h`, "enum vfio_device_mig_state"; `drivers/vfio/vfio_main.c`, `vfio_mig_get_next_state`). As
/// there, a way leads through no state in which data is transferred, other than from one state of a copy to the next of the same copy, and
/// none leads from STOP_COPY back to PRE_COPY.
final class StateGraph {
    private static final Set<MigrationState> TRANSFER = EnumSet.of(PRE_COPY, PRE_COPY_P2P, STOP_COPY, RESUMING);
    private static final Map<Set<MigrationFlag>, StateGraph> MADE = new HashMap<>();

    private final Set<MigrationState> known;
    private final Map<MigrationState, List<MigrationState>> next = new EnumMap<>(MigrationState.class);

    private StateGraph(Set<MigrationFlag> flags) {
        known = EnumSet.of(STOP, RUNNING, STOP_COPY, RESUMING);
        boolean p2p = flags.contains(MigrationFlag.P2P);
        boolean preCopy = flags.contains(MigrationFlag.PRE_COPY);
        for (MigrationState state : MigrationState.values()) {
            next.put(state, new ArrayList<>());
        }
        both(STOP, STOP_COPY);
        both(STOP, RESUMING);
        if (p2p) {
            known.add(RUNNING_P2P);
            both(RUNNING, RUNNING_P2P);
            both(RUNNING_P2P, STOP);
        } else {
            both(RUNNING, STOP);
        }
        if (preCopy) {
            known.add(PRE_COPY);
            both(RUNNING, PRE_COPY);
            if (p2p) {
                known.add(PRE_COPY_P2P);
                both(RUNNING_P2P, PRE_COPY_P2P);
                both(PRE_COPY, PRE_COPY_P2P);
                next.get(PRE_COPY_P2P).add(STOP_COPY);
            } else {
                next.get(PRE_COPY).add(STOP_COPY);
            }
        }
    }

    private void both(MigrationState one, MigrationState other) {
        next.get(one).add(other);
        next.get(other).add(one);
    }

    /// The graph of a device that can do this.
    static StateGraph of(Set<MigrationFlag> flags) {
        synchronized (MADE) {
            return MADE.computeIfAbsent(Set.copyOf(flags), StateGraph::new);
        }
    }

    /// The states after the first one on the shortest way; none when it is there already.
    ///
    /// @throws VfioException EINVAL when the device does not know the state or no way leads to it
    List<MigrationState> way(MigrationState from, MigrationState to) throws VfioException {
        if (to == ERROR || !known.contains(to)) {
            throw new VfioException(Errno.EINVAL, "device_state=%d (%s) expected=one of %s".formatted(to.number(), to, known));
        }
        Map<MigrationState, MigrationState> cameFrom = new EnumMap<>(MigrationState.class);
        ArrayDeque<MigrationState> reached = new ArrayDeque<>(List.of(from));
        while (!reached.isEmpty() && !cameFrom.containsKey(to) && from != to) {
            MigrationState at = reached.remove();
            for (MigrationState following : next.get(at)) {
                if (following != from && !cameFrom.containsKey(following) && mayPass(from, at, following)) {
                    cameFrom.put(following, at);
                    reached.add(following);
                }
            }
        }
        if (from != to && !cameFrom.containsKey(to)) {
            throw new VfioException(Errno.EINVAL, "device_state=%d (%s) from=%d (%s) expected=a state that a way leads to"
                .formatted(to.number(), to, from.number(), from));
        }
        List<MigrationState> way = new ArrayList<>();
        for (MigrationState at = to; at != from; at = cameFrom.get(at)) {
            way.addFirst(at);
        }
        return way;
    }

    /// Whether a way from `start` may go on from `at`, where it is not to end.
    private static boolean mayPass(MigrationState start, MigrationState at, MigrationState following) {
        if (at == start) {
            return true;
        }
        if (!TRANSFER.contains(at)) {
            return start != STOP_COPY || !TRANSFER.contains(following) || following == RESUMING;
        }
        // Only within one copy: PRE_COPY over PRE_COPY_P2P to STOP_COPY.
        return start == PRE_COPY && at == PRE_COPY_P2P && following == STOP_COPY;
    }
}
