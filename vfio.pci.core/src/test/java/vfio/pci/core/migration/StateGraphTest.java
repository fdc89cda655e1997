// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.api.migration.MigrationState.ERROR;
import static vfio.pci.api.migration.MigrationState.PRE_COPY;
import static vfio.pci.api.migration.MigrationState.PRE_COPY_P2P;
import static vfio.pci.api.migration.MigrationState.RESUMING;
import static vfio.pci.api.migration.MigrationState.RUNNING;
import static vfio.pci.api.migration.MigrationState.RUNNING_P2P;
import static vfio.pci.api.migration.MigrationState.STOP;
import static vfio.pci.api.migration.MigrationState.STOP_COPY;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;
import vfio.pci.core.VfioErrors;

class StateGraphTest {
    private static final Set<MigrationFlag> ALL = EnumSet.allOf(MigrationFlag.class);
    private static final Set<MigrationFlag> LEAST = EnumSet.of(MigrationFlag.STOP_COPY);

    /// The combinations that Linux lists in `drivers/vfio/vfio_main.c` for a device that can do everything.
    static Stream<Arguments> waysOfLinux() {
        return Stream.of(
            way(PRE_COPY, PRE_COPY_P2P, STOP_COPY),
            way(PRE_COPY, RUNNING, RUNNING_P2P),
            way(PRE_COPY, RUNNING, RUNNING_P2P, STOP),
            way(PRE_COPY, RUNNING, RUNNING_P2P, STOP, RESUMING),
            way(PRE_COPY_P2P, RUNNING_P2P, RUNNING),
            way(PRE_COPY_P2P, RUNNING_P2P, STOP),
            way(PRE_COPY_P2P, RUNNING_P2P, STOP, RESUMING),
            way(RESUMING, STOP, RUNNING_P2P),
            way(RESUMING, STOP, RUNNING_P2P, PRE_COPY_P2P),
            way(RESUMING, STOP, RUNNING_P2P, RUNNING),
            way(RESUMING, STOP, RUNNING_P2P, RUNNING, PRE_COPY),
            way(RESUMING, STOP, STOP_COPY),
            way(RUNNING, RUNNING_P2P, PRE_COPY_P2P),
            way(RUNNING, RUNNING_P2P, STOP),
            way(RUNNING, RUNNING_P2P, STOP, RESUMING),
            way(RUNNING, RUNNING_P2P, STOP, STOP_COPY),
            way(RUNNING_P2P, RUNNING, PRE_COPY),
            way(RUNNING_P2P, STOP, RESUMING),
            way(RUNNING_P2P, STOP, STOP_COPY),
            way(STOP, RUNNING_P2P, PRE_COPY_P2P),
            way(STOP, RUNNING_P2P, RUNNING),
            way(STOP, RUNNING_P2P, RUNNING, PRE_COPY),
            way(STOP_COPY, STOP, RESUMING),
            way(STOP_COPY, STOP, RUNNING_P2P),
            way(STOP_COPY, STOP, RUNNING_P2P, RUNNING));
    }

    private static Arguments way(MigrationState... states) {
        return Arguments.of(List.of(states));
    }

    @Test
    void refusesErrorStatesItDoesNotKnowAndCopyingOnAfterTheCopyEnded() {
        for (MigrationState from : MigrationState.values()) {
            assertThat(VfioErrors.of(() -> StateGraph.of(ALL).way(from, ERROR)).errno()).isEqualTo(Errno.EINVAL);
            assertThat(VfioErrors.of(() -> StateGraph.of(LEAST).way(from, RUNNING_P2P)).errno()).isEqualTo(Errno.EINVAL);
            assertThat(VfioErrors.of(() -> StateGraph.of(LEAST).way(from, PRE_COPY)).errno()).isEqualTo(Errno.EINVAL);
        }
        assertThat(VfioErrors.of(() -> StateGraph.of(ALL).way(STOP_COPY, PRE_COPY))).hasMessageContaining("STOP_COPY");
        assertThat(VfioErrors.of(() -> StateGraph.of(ALL).way(STOP_COPY, PRE_COPY_P2P)).errno()).isEqualTo(Errno.EINVAL);
    }

    @Test
    void findsNoWayOutOfError() {
        for (MigrationState to : MigrationState.values()) {
            assertThat(VfioErrors.of(() -> StateGraph.of(ALL).way(ERROR, to)).errno()).isEqualTo(Errno.EINVAL);
        }
    }

    @ParameterizedTest
    @MethodSource("waysOfLinux")
    void goesTheWayLinuxGoes(List<MigrationState> states) throws VfioException {
        assertThat(StateGraph.of(ALL).way(states.getFirst(), states.getLast())).isEqualTo(states.subList(1, states.size()));
    }

    @Test
    void goesWithoutOptionalStates() throws VfioException {
        assertThat(StateGraph.of(LEAST).way(RUNNING, STOP_COPY)).containsExactly(STOP, STOP_COPY);
        assertThat(StateGraph.of(LEAST).way(RESUMING, RUNNING)).containsExactly(STOP, RUNNING);
        assertThat(StateGraph.of(EnumSet.of(MigrationFlag.STOP_COPY, MigrationFlag.PRE_COPY)).way(PRE_COPY, STOP_COPY))
            .containsExactly(STOP_COPY);
    }

    @Test
    void isThereAlready() throws VfioException {
        for (MigrationState state : EnumSet.complementOf(EnumSet.of(ERROR))) {
            assertThat(StateGraph.of(ALL).way(state, state)).isEmpty();
        }
    }
}
