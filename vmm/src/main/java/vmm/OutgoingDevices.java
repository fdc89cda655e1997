// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;
import vmm.stream.FrameKind;
import vmm.stream.Frames;
import vmm.stream.Hello;

/// The devices of a machine that is given away.
final class OutgoingDevices {
    private static final int PART = 1 << 17;

    private final Machine machine;
    private final byte[] part = new byte[PART];
    private boolean peerToPeer;
    private boolean touched;
    private long bytes;

    OutgoingDevices(Machine machine) {
        this.machine = machine;
    }

    /// Bytes of state sent so far.
    long bytes() {
        return bytes;
    }

    /// Requires devices that can be moved.
    ///
    /// @throws VfioException EOPNOTSUPP naming one that cannot, or one that is in the middle of something
    void check() throws VfioException {
        peerToPeer = true;
        for (AssignedDevice device : machine.devices()) {
            peerToPeer &= device.flags().contains(MigrationFlag.P2P);
            MigrationState state = device.state();
            if (state != MigrationState.RUNNING) {
                throw new VfioException(Errno.EBUSY, "device=%s device_state=%s expected=RUNNING".formatted(device, state));
            }
        }
    }

    /// Has the copy of each begin, and says what they are.
    Hello hello(boolean dryRun) throws VfioException {
        touched = true;
        List<Hello.Device> said = new ArrayList<>();
        byte[] head = new byte[Hello.LONGEST_HEAD];
        for (AssignedDevice device : machine.devices()) {
            device.state(MigrationState.PRE_COPY);
            int count = device.read(head);
            bytes += count;
            said.add(new Hello.Device(device.slot(), device.identity(), Arrays.copyOf(head, count)));
        }
        return new Hello(dryRun, machine.memory().stream().map(Ram::block).toList(), said);
    }

    /// Sends what there is of their states now.
    void sendMore(Frames frames) throws VfioException {
        for (int i = 0; i < machine.devices().size(); i++) {
            for (int count = machine.devices().get(i).read(part); count > 0; count = machine.devices().get(i).read(part)) {
                frames.begin(FrameKind.DEVICE).putInt(i).put(part, 0, count);
                frames.end();
                bytes += count;
            }
        }
    }

    /// Stops all of them; where they can, first from beginning anything with each other.
    void stop() throws VfioException {
        if (peerToPeer) {
            for (AssignedDevice device : machine.devices()) {
                device.state(MigrationState.PRE_COPY_P2P);
            }
        }
        for (AssignedDevice device : machine.devices()) {
            device.state(MigrationState.STOP_COPY);
        }
    }

    /// Sends the rest of the states.
    void sendStates(Frames frames) throws VfioException {
        for (int i = 0; i < machine.devices().size(); i++) {
            ByteBuffer out = frames.begin(FrameKind.CONFIG).putInt(i);
            out.put(machine.devices().get(i).config());
            frames.end();
        }
        sendMore(frames);
    }

    /// Has them run as if nothing had been. Where nothing had been yet they are only asked whether they are there.
    ///
    /// @throws VfioException what the first said that cannot; the others run
    void takeBack() throws VfioException {
        VfioException failed = null;
        for (AssignedDevice device : machine.devices()) {
            try {
                if (touched) {
                    device.state(MigrationState.RUNNING);
                    stopLogging(device);
                } else {
                    device.config();
                }
            } catch (VfioException e) {
                failed = failed == null ? e : failed;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }

    private static void stopLogging(AssignedDevice device) throws VfioException {
        try {
            device.stopLogging();
        } catch (VfioException e) {
            // EINVAL: it had not begun.
            if (e.errno() != Errno.EINVAL) {
                throw e;
            }
        }
    }
}
