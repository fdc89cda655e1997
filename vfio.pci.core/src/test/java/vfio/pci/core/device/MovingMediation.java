// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.migration.DirtyLog;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// A mediation whose device's state is a text, and which writes down what it is asked.
final class MovingMediation extends Mediation {
    final List<String> asked = new ArrayList<>();
    final List<String> changes = new ArrayList<>();
    String state = "as made";
    String failing = "";
    Map<String, String> configuration = Map.of("queues", "4");
    private final boolean peerToPeer;

    MovingMediation(boolean peerToPeer) {
        this.peerToPeer = peerToPeer;
    }

    private void asked(String what) throws VfioException {
        asked.add(what);
        if (failing.equals(what)) {
            throw new VfioException(Errno.EBUSY, "device=busy expected=%s later".formatted(what));
        }
        if (failing.equals("bug in " + what)) {
            throw new IllegalStateException("a bug");
        }
    }

    @Override
    public Set<Capability> capabilities() {
        return Set.of(Capability.MIGRATION);
    }

    @Override
    public Optional<MigrationDriver> migration() {
        return Optional.of(new Driver());
    }

    private final class Driver extends MigrationDriver {
        @Override
        public StateVersion version() {
            return new StateVersion(1, 0);
        }

        @Override
        public Map<String, String> configuration() {
            return configuration;
        }

        @Override
        public boolean peerToPeer() {
            return peerToPeer;
        }

        @Override
        public long stateSize() {
            return state.length();
        }

        @Override
        public long preCopySize() {
            return changes.size();
        }

        @Override
        public void quiesce() throws VfioException {
            asked("quiesce");
        }

        @Override
        public void resume() throws VfioException {
            asked("resume");
        }

        @Override
        public void stop() throws VfioException {
            asked("stop");
        }

        @Override
        public void start() throws VfioException {
            asked("start");
        }

        @Override
        public void beginPreCopy() throws VfioException {
            asked("beginPreCopy");
        }

        @Override
        public List<StateSection> preCopy() {
            List<StateSection> sections = changes.stream().map(change -> new StateSection("change", 1, change.getBytes())).toList();
            changes.clear();
            return sections;
        }

        @Override
        public void endPreCopy() {
            asked.add("endPreCopy");
        }

        @Override
        public List<StateSection> save() throws VfioException {
            asked("save");
            return List.of(new StateSection("text", 1, state.getBytes()));
        }

        @Override
        public void load(StateVersion version, List<StateSection> sections) throws VfioException {
            asked("load");
            state = String.join(",", sections.stream().map(section -> new String(section.data())).toList());
        }

        @Override
        public void beginTracking(DirtyLog log) throws VfioException {
            asked("beginTracking");
            log.markTransfers(true);
        }

        @Override
        public void collect(DirtyLog log) throws VfioException {
            asked("collect");
            log.mark(0xF000, 1);
        }

        @Override
        public void endTracking() {
            asked.add("endTracking");
        }
    }
}
