// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.VfioException;

/// A function in the hands of its driver: registers, config space, reset.
///
/// Register access may come from many threads at once; the function orders it as it sees fit. Data travels in the caller's buffer, which
/// is borrowed for the call. Nothing is allocated on the access path. Bytes are as on the bus, little-endian. The caller has checked offset
/// and count against the size of the BAR or config space; counts are 1 to that size, and a register file splits odd accesses itself.
///
/// After [#close()], or after the function has gone, every call throws ENODEV.
@ConsumerType
public abstract class BoundFunction implements AutoCloseable {
    /// For providers.
    protected BoundFunction() {
    }

    /// Bytes of config space: 256, or 4096 with PCI Express.
    public abstract int configSize();

    /// Reads raw config space, the registers of the hardware itself, without any side effect.
    public abstract void readConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// Writes raw config space; read-only bits keep their values. Setting Initiate FLR in the PCIe capability resets the function.
    public abstract void writeConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// Reads registers behind a BAR, with the side effects the device has. Memory-like pages are read from the lent memory.
    public abstract void readBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// Writes registers behind a BAR, with the side effects the device has.
    public abstract void writeBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// Function level reset: stops DMA and interrupts and returns config space and registers to their initial values, those in the lent
    /// BAR memory included. Lent memory that stands for memory beyond the device, as a graphics aperture, is left as it is. On return no
    /// thread of the function uses the DMA space on behalf of what was before.
    public abstract void reset() throws VfioException;

    /// The driver changed who receives a vector: a function that kept an interrupt because [Interrupts#raise] said that nobody
    /// took it may raise it again now. Called with no lock held; the default does nothing.
    ///
    /// @param kind which kind
    /// @param vector from 0
    /// @param enabled whether somebody takes it from now on
    public void vectorEnabled(InterruptKind kind, int vector, boolean enabled) {
    }

    /// Has somebody told of doorbells from now on, in place of who was told before; a reset changes nothing about that, unbinding ends it.
    /// On return nobody who was told before is in a call. Functions that cannot tell do not take it, which is the default.
    ///
    /// @param tap empty to tell nobody
    /// @return whether the function tells of all of its doorbells, mapped ones included
    /// @throws VfioException ENODEV when the function has gone
    public boolean tapDoorbells(Optional<DoorbellTap> tap) throws VfioException {
        return false;
    }

    /// Unbinds: resets the function, ends its use of everything lent (no thread of it touches that after the return), and lets the next
    /// driver in. A second call has no effect.
    @Override
    public abstract void close();
}
