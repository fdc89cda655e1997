// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.migration.Migration;

/// One client's handle of an open device. Methods may be called by any thread unless they say otherwise. When the function goes, or the
/// core stops, the ERR interrupt and then the gone-listener tell, and from then on everything but [#close()] throws ENODEV.
@ProviderType
public interface VfioDevice extends AutoCloseable {
    /// Where the device sits.
    PciAddress address();

    /// How many regions and interrupts it has now, and what it can do. Regions and interrupts a mediation added are counted.
    DeviceInfo info();

    /// What is known of a region, after the mediation's changes and cut to what this client may map.
    ///
    /// @throws VfioException EINVAL for an index that [#info()] does not count
    RegionInfo regionInfo(int index) throws VfioException;

    /// What is known of an interrupt.
    ///
    /// @throws VfioException EINVAL for an index that [#info()] does not count
    IrqInfo irqInfo(int index) throws VfioException;

    /// A new port for accesses: used by one thread at a time, closed by its user. The cost of telling threads apart is paid here and
    /// not per access.
    DevicePort port() throws VfioException;

    /// Maps a part of a region into this process, after asking the mediation.
    ///
    /// @param offset and length page multiples within one mappable area of the region
    /// @throws VfioException EINVAL where the range is not mappable, EACCES where the mediation refuses
    RegionMap map(int region, long offset, long length) throws VfioException;

    /// The file behind the mappable areas of a region, to be handed to a client in another process: byte n of the region is byte n of the
    /// file. Lent: the device owns it, it is good until this handle is closed. Empty when the region has no area this client may map.
    ///
    /// @throws VfioException EINVAL for an index that [#info()] does not count
    Optional<OwnedFd> regionFile(int region) throws VfioException;

    /// Registers of a region whose write the client may tell by an event, after the mediation's changes. Whoever has the event performs the
    /// write through a [DevicePort]: it is seen by claims and traps as any other.
    ///
    /// @throws VfioException EINVAL for an index that [#info()] does not count; EIO when the mediation fails
    default List<Doorbell> doorbells(int region) throws VfioException {
        regionInfo(region);
        return List.of();
    }

    /// Says who takes vectors `start` and following; entry i replaces what vector `start + i` had. Triggers are taken: the device closes
    /// those it replaced, and those passed when it throws. For MSI and MSI-X this enables the kind, up to the highest vector named.
    ///
    /// @throws VfioException EINVAL for an index or range that does not exist; EBUSY when another client owns the index
    void setIrqTriggers(int index, int start, List<IrqTrigger> triggers) throws VfioException;

    /// Disables an interrupt wholly: no vector has a trigger any more.
    ///
    /// @throws VfioException as [#setIrqTriggers]
    void disableIrq(int index) throws VfioException;

    /// Masks vectors, of an interrupt that is [IrqInfo.Flag#MASKABLE].
    ///
    /// @throws VfioException EINVAL for a range that does not exist or an interrupt that cannot be masked; EBUSY as above
    void maskIrq(int index, int start, int count) throws VfioException;

    /// Unmasks vectors; one that is pending is signalled.
    ///
    /// @throws VfioException as [#maskIrq]
    void unmaskIrq(int index, int start, int count) throws VfioException;

    /// Signals vectors as if the device had raised them, for tests.
    ///
    /// @throws VfioException EINVAL for a range that does not exist; EBUSY as above
    void fireIrq(int index, int start, int count) throws VfioException;

    /// Makes memory reachable for the device. The backing is taken, also when this throws.
    ///
    /// @throws VfioException EEXIST where it overlaps another mapping; EINVAL for a bad offset or a file shorter than the mapping;
    ///     EACCES where the file does not allow it; ENOSPC when the limit on maps is reached
    void dmaMap(DmaMapping mapping) throws VfioException;

    /// Most mappings the device has at a time.
    default int mostDmaMaps() {
        return Integer.MAX_VALUE;
    }

    /// Takes away the mappings in a range that this handle made; returns when no transfer uses them any more. As in Linux a range may
    /// hold several or none, which is how a VMM with a virtual IOMMU lets go of them, but cut none.
    ///
    /// @param size unsigned
    /// @throws VfioException EINVAL when the range cuts one, is empty or wraps
    void dmaUnmap(long iova, long size) throws VfioException;

    /// Takes away all mappings this handle made.
    void dmaUnmapAll();

    /// Where a call that is in this device waits for the client of this handle to say that it has acted on a switch of trapping: a
    /// region that answers at once. Its accesses must be carried out then, and so must questions about regions, though the call is the
    /// client's own. Any thread.
    ///
    /// @return empty when nothing is waited for
    default OptionalInt awaitsAcknowledgementIn() {
        return OptionalInt.empty();
    }

    /// Resets the device: the function and the virtual config space go back to their initial values, the INTx pin is low and unmasked, and
    /// the mediation is told. Triggers stay assigned, as in Linux, and so do DMA mappings.
    ///
    /// @throws VfioException EIO when the function or the mediation fails
    void reset() throws VfioException;

    /// How the device is moved; empty when nobody mediates it, or its mediator cannot. What was got stops working when the mediation ends:
    /// it answers ENODEV then.
    Optional<Migration> migration();

    /// Gives an event an id by which the `dt_fd` field of the dynamic-trap-bar-info region can name it; good until the handle is closed.
    ///
    /// @throws VfioException EOPNOTSUPP for a client without [Client.Feature#EVENT_IDS]
    int registerEvent(Runnable event) throws VfioException;

    /// Says who is to be told, once, that the device has gone; at once if it has. Called on the thread that takes the device away: it
    /// must not block and must not call this handle.
    void onGone(Runnable listener);

    /// Gives up ports, maps, interrupts and DMA mappings of this handle; the last one closes the device, which closes its mediation and
    /// unbinds the function. A second call has no effect.
    @Override
    void close();
}
