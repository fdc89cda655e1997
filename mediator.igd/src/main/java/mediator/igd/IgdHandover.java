// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Handover;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// What the mediation of a graphics device keeps: whether it has started trapping, which it does once, and whether the area traps.
final class IgdHandover extends Handover {
    private static final StateVersion VERSION = new StateVersion(1, 0);
    private static final String SECTION = "trapping";
    private static final int STARTED = 1;
    private static final int TRAPPING = 2;

    private final Supplier<State> now;
    private final Consumer<State> next;

    /// @param started whether trapping was started since the device was opened
    /// @param trapping whether the area traps
    record State(boolean started, boolean trapping) {
    }

    /// @param now what is kept
    /// @param next goes on from what another kept
    IgdHandover(Supplier<State> now, Consumer<State> next) {
        this.now = now;
        this.next = next;
    }

    @Override
    public StateVersion version() {
        return VERSION;
    }

    @Override
    public List<StateSection> save() {
        State state = now.get();
        return List.of(new StateSection(SECTION, VERSION.major(),
            new byte[] {(byte) ((state.started() ? STARTED : 0) | (state.trapping() ? TRAPPING : 0))}));
    }

    @Override
    public void load(String mediator, StateVersion version, List<StateSection> sections) throws VfioException {
        boolean known = version.major() == VERSION.major() && sections.size() == 1 && sections.getFirst().name().equals(SECTION)
            && sections.getFirst().data().length == 1;
        if (!known || (sections.getFirst().data()[0] & ~(STARTED | TRAPPING)) != 0) {
            throw new VfioException(Errno.EINVAL, "mediator=%s version=%s sections=%s expected=trapping version=%d size=0x1".formatted(
                mediator, version, sections, VERSION.major()));
        }
        int bits = sections.getFirst().data()[0];
        next.accept(new State((bits & STARTED) != 0, (bits & TRAPPING) != 0));
    }
}
