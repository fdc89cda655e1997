// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import device.sim.wire.Recording;
import java.nio.file.Path;
import java.util.Optional;
import vfio.pci.api.VfioException;

/// Has the frames of a function written to a file: those of a virtual function, or through a physical one all that pass inside its card.
/// A card has one recording at a time. It ends when the function is plugged out. Thread-safe.
public interface FrameRecording {
    /// Starts.
    ///
    /// @param path of a file that is not there
    /// @param mostBytes of the file; frames that do not fit are left out
    /// @throws VfioException EEXIST for a file that is there, ENOENT and EACCES for one that cannot be made there, EIO for another failure;
    ///     EBUSY while the card has a recording
    void start(Path path, long mostBytes) throws VfioException;

    /// Ends the card's recording, whichever of its functions began it; waits until the file is written.
    ///
    /// @return empty when there was none
    Optional<Recording> stop() throws InterruptedException;

    /// The function was plugged out: ends what was begun for it, and waits until the file is written.
    void functionGone();
}
