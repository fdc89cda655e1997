// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.util.List;
import vfio.pci.api.VfioException;

/// A virtual machine, as its VMM knows it: on the source the one that runs, on the destination one that is made alike and has not run yet,
/// with its memory mapped into its devices. Called by the thread that moves it.
public interface Machine {
    /// Its memory, in an order that is the same on both sides.
    List<Ram> memory();

    /// Its devices, in an order that is the same on both sides.
    List<AssignedDevice> devices();

    /// Stops the processors; on return they write no memory and ring no device.
    ///
    /// @throws VfioException when that cannot be done; then they run
    void pause() throws VfioException;

    /// What the processors are, and whatever else of the machine is not memory and not these devices; they are stopped.
    ///
    /// @return less than 1 MiB
    /// @throws VfioException to fail the move
    byte[] processors() throws VfioException;

    /// Takes that over on the destination, and connects the devices' interrupts. The devices hold their state and do not run yet.
    ///
    /// @throws VfioException when it is of another machine; then the source is told
    void processors(byte[] state) throws VfioException;

    /// Lets the processors run: on the source again after [#pause()], on the destination from what they were given. The devices run.
    ///
    /// @throws VfioException when that cannot be done; then they stand
    void resume() throws VfioException;
}
