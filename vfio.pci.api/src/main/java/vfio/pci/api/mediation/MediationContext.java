// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.DoorbellTap;

/// What the core offers one mediation of one open device. Good from the open until [Mediation#close()] returns, from any thread; after
/// that, and
/// for a mediation that was abandoned, everything throws: EOPNOTSUPP where a VfioException is declared, else IllegalStateException.
@ProviderType
public interface MediationContext {
    /// The default behaviour below: reads the region as if this mediation were not there. Where several are declared for the device, the
    /// next one below that claims it sees the access; below the last is the device.
    ///
    /// @throws VfioException as the device answers
    void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// The default behaviour below: writes the region as if this mediation were not there, as [#readBelow].
    ///
    /// @throws VfioException as the device answers
    void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// What a client would be told of the region without this mediation and those above it.
    ///
    /// @throws VfioException EINVAL for an index that does not exist
    RegionInfo regionInfoBelow(int region) throws VfioException;

    /// Adds a region; all its accesses go to the mediation, and one it passes through fails with EIO. The index never moves while the
    /// device is open; after
    /// the mediation has gone the region is empty.
    ///
    /// @param size bytes
    /// @param backing memory whose pages a client may map at the same offsets, where the areas in `info` say so, or none
    /// @param info flags and capabilities; its index and size are ignored
    /// @return the index, 9 or more
    int addRegion(long size, Optional<SharedMemory> backing, RegionInfo info);

    /// Adds an interrupt with its vectors.
    ///
    /// @param count vectors
    /// @param type what it is
    /// @return the index, 5 or more
    int addIrq(int count, IrqInfo.Type type);

    /// Signals a vector of any interrupt of the device.
    ///
    /// @return whether somebody took it
    boolean raise(int irq, int vector);

    /// Replaces the claims. On return every access that began afterwards goes by the new ones.
    void claim(List<Claim> claims);

    /// [Mediation#regionInfo] answers otherwise now, and clients are to keep out of these ranges: those that can be told (by the interrupt
    /// or event of [Capability#DYNAMIC_TRAP_BAR]) are told to ask again, and waited for until they have said that they map nothing there
    /// any more, at most half the drain timeout. Not from within an access, which may be that of a client that is waited for.
    ///
    /// @return names of the clients that may have a part of the ranges mapped still, so that nobody sees what they do there
    List<String> unmap(List<Claim> ranges);

    /// Names of the clients that may have a part of these ranges mapped, as far as they were told that they may.
    List<String> mappedBy(List<Claim> ranges);

    /// Switches trapping of the disablable areas on or off and tells the clients that take part. On return from switching it on their
    /// accesses really trap: each of them that had mapped a part of such an area, or may have, has said that it has unmapped it. They are
    /// waited for half the drain timeout. The clients that take no part either could not map these areas, or can by configuration; what
    /// the latter write is known by [#watchDoorbells] only.
    ///
    /// A call on a thread that is in an access, or in a subscriber of [#watchDoorbells], tells the clients and does not wait, for it may be
    /// the client's access that it is in. A repeated call tells nobody, and waits if somebody has not answered yet. Only with
    /// [Capability#DYNAMIC_TRAP_BAR].
    ///
    /// @throws VfioException ETIMEDOUT, with trapping off, naming a client that has not acknowledged it; EOPNOTSUPP after the mediation's
    ///     end
    void trap(boolean on) throws VfioException;

    /// Switches trapping off, which cannot fail.
    void untrap();

    /// Whether trapping is on.
    boolean trapping();

    /// Has somebody told of the doorbells that the function takes out of memory that a client has mapped, in place of who was told before.
    /// From the return on none is missed: the subscriber is called with each value before the function acts on it, also with one that was
    /// in memory before and was not acted on yet. What was acted on before is not told; it can be read from the registers. A doorbell that
    /// is written by a message is told as well, after [Mediation#write] saw it if it is claimed.
    ///
    /// Calls come on a thread of the function, which waits for the return: the subscriber returns at once, allocates nothing, may read
    /// guest memory, and must not touch the device's registers. A RuntimeException or Error is counted as one of the mediation. It ends
    /// with [#unwatchDoorbells()], with a reset of the device, which ends it before the device is reset, and with the mediation.
    ///
    /// Where the function cannot tell, every doorbell must come as a message: no client that takes no part in trapping may have mapped a
    /// part of a BAR or have been handed its file, nor will one while this lasts. Those that take part are told by [#trap].
    ///
    /// @param subscriber called by one thread or by several at once, as the function does
    /// @throws VfioException EOPNOTSUPP, with nobody told, where the function cannot tell and such a client is there
    void watchDoorbells(DoorbellTap subscriber) throws VfioException;

    /// Ends [#watchDoorbells]. On return nobody is in the subscriber but the calling thread, unless it did not return within the drain
    /// timeout. Has no effect when nobody is told.
    void unwatchDoorbells();

    /// Memory that the open device owns and that outlives this mediation: asking again by the same name, also from a successor, gives
    /// the same memory.
    ///
    /// @param size bytes, a multiple of the page
    /// @throws VfioException ENOMEM when there is none; EINVAL when the name exists with another size
    SharedMemory sharedMemory(String name, long size) throws VfioException;

    /// Guest memory as the device reaches it.
    DmaSpace guestMemory();
}
