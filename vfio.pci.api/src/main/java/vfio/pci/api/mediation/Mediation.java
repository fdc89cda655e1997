// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.migration.MigrationDriver;

/// The mediation of one open device. What is not overridden passes through: to the next mediation below, where several are declared for the
/// device, and below the last to the device.
///
/// [#read], [#write], [#map] and [#regionInfo] may be entered by many threads at once. [#reset], [#dmaMap], [#dmaPresent], [#dmaUnmap],
/// [#close] and what is asked of [#migration()] are serialised with each other per device. [#close] comes once, with nobody inside, and
/// nothing is called after it. A RuntimeException or Error is answered EIO, logged with the device's address, and after repeated ones the
/// mediation is unbound.
///
/// A call should return at once. One that has not left when its mediator goes is interrupted after the drain timeout and abandoned: its
/// result is
/// discarded and what it tries through its context is refused.
@ConsumerType
public abstract class Mediation implements AutoCloseable {
    /// For vendors.
    protected Mediation() {
    }

    /// Which default regions the core is to add. Asked once, after the open.
    public Set<Capability> capabilities() {
        return Set.of();
    }

    /// The ranges it wants to see at first; asked once, after the open. [MediationContext#claim] changes them later.
    public List<Claim> claims() {
        return List.of();
    }

    /// May change what a client is told of a region, after the defaults were filled in. Asked on every query. The list of mappable areas
    /// is afterwards cut
    /// to the pages where plain memory behaves as the register does.
    ///
    /// @param defaults what the client would see
    /// @return the same, or a changed copy with the same index
    public RegionInfo regionInfo(RegionInfo defaults) {
        return defaults;
    }

    /// May change which registers of a BAR a client is told it can write by an event instead of a message. What such an event stands for is
    /// written as if by the client, so that a claim sees it. Asked when a client asks.
    ///
    /// @param region the BAR
    /// @param defaults those of the function
    /// @return the same, or a changed copy
    public List<Doorbell> doorbells(int region, List<Doorbell> defaults) {
        return defaults;
    }

    /// Sees a read that overlaps a claim, before the device does. Allocates nothing.
    ///
    /// @param buffer the caller's, borrowed for the call; filled when the verdict is [Verdict#HANDLED]
    /// @return who answers
    /// @throws VfioException to fail the access
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return Verdict.PASS_THROUGH;
    }

    /// Sees a write that overlaps a claim, before the device does. Allocates nothing.
    ///
    /// @return who acts on it
    /// @throws VfioException to fail the access
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return Verdict.PASS_THROUGH;
    }

    /// Sees a client map a part of a region, or a file be handed out that allows it.
    ///
    /// @return who provides the memory
    /// @throws VfioException to refuse
    public MapVerdict map(int region, long offset, long length) throws VfioException {
        return MapVerdict.PASS_THROUGH;
    }

    /// Asked before a client lets the device reach memory. Only a window that can be made is asked about: one that overlaps another, or has
    /// no memory behind it, fails before. Once this has returned the window is there, until [#dmaUnmap].
    ///
    /// @throws VfioException to refuse: there is no window, and the client is answered with this errno
    public void dmaMap(DmaWindow window) throws VfioException {
    }

    /// A window is there already, since this mediation is bound to a device that is open: told for each, in the order of addresses, after
    /// [#claims()] was asked. It cannot be refused any more, for the client would not know; one that may not be is to be told to people.
    public void dmaPresent(DmaWindow window) {
    }

    /// A window went that this mediation was asked about, or told of: by an unmap, or as the client closed the device. The device does not
    /// reach it any more. A reset leaves windows as they are; at [#close] those that are there are not told one by one.
    public void dmaUnmap(DmaWindow window) {
    }

    /// How the device is moved, if it can be. Asked once, after the open. By it clients have the device features of Linux's protocol, and
    /// with [Capability#MIGRATION] the proposal's region.
    public Optional<MigrationDriver> migration() {
        return Optional.empty();
    }

    /// Whether another mediation can go on from the device alone: nothing that matters is in this one now. One that says so is exchanged
    /// for another while the device runs on, whether it can be moved or not. Asked while no access is under way.
    public boolean stateless() {
        return false;
    }

    /// How what it keeps by itself passes to the mediation that follows, if there is such a thing. Asked when one is to follow, or one has
    /// been followed.
    public Optional<Handover> handover() {
        return Optional.empty();
    }

    /// Whether it wants to be told of interrupts. Asked once, after the open.
    public boolean relaysInterrupts() {
        return false;
    }

    /// The function raises an interrupt, which a client gets on the return. Only if [#relaysInterrupts]. Comes on a thread of the function,
    /// which may hold locks that an access needs: other threads of the mediation's that make one are not to be waited for here.
    public void interrupt(InterruptKind kind, int vector) {
    }

    /// The device was reset; it is in its initial state, running.
    ///
    /// @throws VfioException to fail the client's reset
    public void reset() throws VfioException {
    }

    /// The device closes, or the mediator goes: lets everything go. The context still serves until the return. Called on a thread of the
    /// core's while the one that unregisters the mediator waits, so it takes no lock that the other may have; one that does not return
    /// within the drain timeout is interrupted and abandoned.
    @Override
    public void close() {
    }
}
