// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.FrameRecording;
import device.sim.wire.Recording;
import device.sim.wire.Switch;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Recordings of what passes the ports of one function, or of a whole card.
final class WireRecording implements FrameRecording {
    private static final System.Logger LOG = System.getLogger(WireRecording.class.getName());

    private final Switch wire;
    private final BitSet ports = new BitSet();

    private WireRecording(Switch wire, int from, int to) {
        this.wire = wire;
        ports.set(from, to);
    }

    /// All ports and the uplink.
    static WireRecording ofCard(Switch wire) {
        return new WireRecording(wire, 0, wire.ports() + 1);
    }

    static WireRecording ofPort(Switch wire, int port) {
        return new WireRecording(wire, port, port + 1);
    }

    @Override
    public void start(Path path, long mostBytes) throws VfioException {
        try {
            wire.startRecording(path, mostBytes, ports);
        } catch (FileAlreadyExistsException e) {
            throw new VfioException(Errno.EEXIST, "file=%s expected=a file that is not there".formatted(path));
        } catch (NoSuchFileException e) {
            throw new VfioException(Errno.ENOENT, "file=%s expected=a folder that is there".formatted(path));
        } catch (AccessDeniedException e) {
            throw new VfioException(Errno.EACCES, "file=%s expected=a folder that can be written".formatted(path));
        } catch (IOException e) {
            throw new VfioException(Errno.EIO, "file=%s expected=a file that can be made: %s".formatted(path, e.getMessage()));
        }
    }

    @Override
    public Optional<Recording> stop() throws InterruptedException {
        return wire.stopRecording();
    }

    @Override
    public void functionGone() {
        try {
            wire.stopRecordingWithin(ports).ifPresent(ended -> LOG.log(System.Logger.Level.INFO,
                "file={0} recording ended, its function was plugged out: frames={1} dropped={2}", ended.path(), ended.frames(),
                ended.dropped()));
        } catch (InterruptedException e) {
            // It ends all the same, a little later.
            Thread.currentThread().interrupt();
        }
    }
}
