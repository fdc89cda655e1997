// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.user.wire.BitmapLayout;
import vfio.user.wire.Command;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.DmaLoggingControlLayout;
import vfio.user.wire.DmaLoggingRangeLayout;
import vfio.user.wire.DmaLoggingReportLayout;
import vfio.user.wire.DmaUnmapLayout;
import vfio.user.wire.HostOrder;

/// Learns which memory the device writes. For the thread of the client; throws what its methods throw, ENOTTY for a device whose writes
/// cannot be logged, and EPROTO for an answer that makes no sense.
///
/// Source: QEMU's `docs/interop/vfio-user.rst`, "Device Features".
public final class ClientDmaLogging {
    private static final int UNMAP = DmaUnmapLayout.BYTES + BitmapLayout.BYTES;
    /// Room for bits in either message.
    private static final int LONGEST = Channel.LONGEST - Channel.PAYLOAD - UNMAP;

    private final Channel channel;
    private final DeviceFeatures features;
    private final DmaMemory memory;

    ClientDmaLogging(Channel channel, DeviceFeatures features, DmaMemory memory) {
        this.channel = channel;
        this.features = features;
        this.memory = memory;
    }

    /// Whether the device's writes can be logged.
    public boolean available() throws VfioException {
        return features.has(DeviceFeatureLayout.DMA_LOGGING_START, DeviceFeatureLayout.SET)
            && features.has(DeviceFeatureLayout.DMA_LOGGING_REPORT, DeviceFeatureLayout.GET);
    }

    /// DMA_LOGGING_START: from its return on no write is missed (section `VFIO_DEVICE_FEATURE_DMA_LOGGING_START`).
    ///
    /// @param pageSize bytes that a report should tell apart
    /// @param ranges what is to be logged; none means everything, which this project's server refuses
    /// @return the page size the device chose
    /// @throws VfioException EINVAL for a page size or ranges that are wrong, and when it is logged already
    public long start(long pageSize, List<IovaRange> ranges) throws VfioException {
        byte[] own = new byte[DmaLoggingControlLayout.BYTES + ranges.size() * DmaLoggingRangeLayout.BYTES];
        MemorySegment at = MemorySegment.ofArray(own);
        HostOrder.putU64(at, DmaLoggingControlLayout.PAGE_SIZE, pageSize);
        HostOrder.putU32(at, DmaLoggingControlLayout.NUM_RANGES, ranges.size());
        long to = DmaLoggingControlLayout.BYTES;
        for (IovaRange range : ranges) {
            HostOrder.putU64(at, to + DmaLoggingRangeLayout.IOVA, range.iova());
            HostOrder.putU64(at, to + DmaLoggingRangeLayout.LENGTH, range.length());
            to += DmaLoggingRangeLayout.BYTES;
        }
        MemorySegment answer = MemorySegment.ofArray(features.set(DeviceFeatureLayout.DMA_LOGGING_START, own));
        if (answer.byteSize() < DmaLoggingControlLayout.BYTES) {
            throw wrong(answer.byteSize(), own.length);
        }
        return HostOrder.u64(answer, DmaLoggingControlLayout.PAGE_SIZE);
    }

    /// DMA_LOGGING_STOP (the same section). What was logged is forgotten.
    ///
    /// @throws VfioException EINVAL when nothing is logged
    public void stop() throws VfioException {
        features.set(DeviceFeatureLayout.DMA_LOGGING_STOP, new byte[0]);
    }

    /// DMA_LOGGING_REPORT: what was written since it was last reported (section `VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT`).
    ///
    /// @param range fewer pages than 1 MiB has bits
    /// @param pageSize bytes a bit is to stand for, not necessarily that of the log
    /// @throws VfioException EINVAL when nothing is logged, and for a range or page size that is wrong
    public DirtyPages report(IovaRange range, long pageSize) throws VfioException {
        int bits = DirtyPages.bytes(range, pageSize, LONGEST);
        byte[] own = new byte[DmaLoggingReportLayout.BYTES];
        MemorySegment at = MemorySegment.ofArray(own);
        HostOrder.putU64(at, DmaLoggingReportLayout.IOVA, range.iova());
        HostOrder.putU64(at, DmaLoggingReportLayout.LENGTH, range.length());
        HostOrder.putU64(at, DmaLoggingReportLayout.PAGE_SIZE, pageSize);
        byte[] answer = features.get(DeviceFeatureLayout.DMA_LOGGING_REPORT, own, own.length + bits);
        if (answer.length != own.length + bits) {
            throw wrong(answer.length, own.length + bits);
        }
        return DirtyPages.decode(range, pageSize, MemorySegment.ofArray(answer).asSlice(own.length));
    }

    /// DMA_UNMAP with a bitmap, which is only in libvfio-user's header (`struct vfio_user_bitmap`): ends mappings, and says what was
    /// written there since it was last reported.
    ///
    /// @param range one earlier mapping, or several that lie in it
    /// @param pageSize as in [#report]
    /// @throws VfioException EINVAL when nothing is logged, for a range that cuts a mapping, and for a page size that is wrong; nothing is
    ///     unmapped then
    public DirtyPages unmap(IovaRange range, long pageSize) throws VfioException {
        int bits = DirtyPages.bytes(range, pageSize, LONGEST);
        MemorySegment request = channel.request();
        var unmap = new DmaUnmapLayout.DmaUnmap(UNMAP + bits, DmaUnmapLayout.FLAG_GET_DIRTY_BITMAP, range.iova(), range.length());
        DmaUnmapLayout.encode(unmap, request, Channel.PAYLOAD);
        long bitmap = Channel.PAYLOAD + DmaUnmapLayout.BYTES;
        HostOrder.putU64(request, bitmap + BitmapLayout.PGSIZE, pageSize);
        HostOrder.putU64(request, bitmap + BitmapLayout.SIZE, bits);
        int size = channel.call(Command.DMA_UNMAP, UNMAP, UNMAP);
        memory.remove(range.iova());
        if (size != UNMAP + bits) {
            throw wrong(size, UNMAP + bits);
        }
        return DirtyPages.decode(range, pageSize, channel.answer().asSlice(Channel.PAYLOAD + UNMAP, bits));
    }

    private static VfioException wrong(long size, int expected) {
        return new VfioException(Errno.EPROTO, "answer=0x%x expected=0x%x".formatted(size, expected));
    }
}
