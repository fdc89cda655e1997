// SPDX-License-Identifier: Apache-2.0
package itest.wire;

/** The structures of the commands, field by field. Sizes are those of the document. */
public final class Payload {
    /** What QEMU proposes, word for word but for the sizes of its migration data. */
    public static final String QEMU = "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, "
        + "\"max_data_xfer_size\": 1048576, \"write_multiple\": true}}";

    public static final int DMA_MAP = 32;
    public static final int DMA_UNMAP = 24;
    public static final int DEVICE_INFO = 16;
    public static final int REGION_INFO = 32;
    public static final int REGION_IO_FDS = 16;
    public static final int IRQ_INFO = 16;
    public static final int IRQ_SET = 20;
    public static final int REGION_ACCESS = 16;
    public static final int DMA_ACCESS = 16;
    public static final int WRITE_MULTI = 8;
    public static final int WRITE_ENTRY = 24;
    public static final int FEATURE = 8;
    public static final int MIG_DATA = 8;

    private Payload() {
    }

    /** {@code u16 major, u16 minor}, JSON with its NUL. */
    public static Bytes version(String json) {
        return Bytes.none().u16(0, 0).text(json);
    }

    /** {@code u32 argsz, u32 flags, u64 offset, u64 address, u64 size}. */
    public static Bytes dmaMap(int flags, long offset, long address, long size) {
        return Bytes.none().u32(DMA_MAP, flags).u64(offset, address, size);
    }

    /** {@code u32 argsz, u32 flags, u64 address, u64 size}. */
    public static Bytes dmaUnmap(int flags, long address, long size) {
        return Bytes.none().u32(DMA_UNMAP, flags).u64(address, size);
    }

    /** {@code u32 argsz, u32 flags, u32 regions, u32 irqs}. */
    public static Bytes deviceInfo(long argsz) {
        return Bytes.none().u32(argsz, 0, 0, 0);
    }

    /** {@code u32 argsz, u32 flags, u32 index, u32 cap_offset, u64 size, u64 offset}. */
    public static Bytes regionInfo(long argsz, long index) {
        return Bytes.none().u32(argsz, 0, index, 0).u64(0, 0);
    }

    /** {@code u32 argsz, u32 flags, u32 index, u32 count}. */
    public static Bytes regionIoFds(long argsz, long flags, long index, long count) {
        return Bytes.none().u32(argsz, flags, index, count);
    }

    /** {@code u32 argsz, u32 flags, u32 index, u32 count}. */
    public static Bytes irqInfo(long argsz, long index) {
        return Bytes.none().u32(argsz, 0, index, 0);
    }

    /** {@code u32 argsz, u32 flags, u32 index, u32 start, u32 count}, then the data. */
    public static Bytes irqSet(long flags, long index, long start, long count) {
        return Bytes.none().u32(IRQ_SET, flags, index, start, count);
    }

    /** {@code u64 offset, u32 region, u32 count}, then the data of a write. */
    public static Bytes access(long offset, long region, long count) {
        return Bytes.none().u64(offset).u32(region, count);
    }

    /** {@code u64 offset, u32 region, u32 count}, eight bytes of data. */
    public static Bytes entry(Bytes to, long offset, long region, long count, long data) {
        return to.u64(offset).u32(region, count).u64(data);
    }

    /** {@code u64 address, u64 count}, then the data of a DMA_WRITE, or of a reply to DMA_READ. */
    public static Bytes dmaAccess(long address, long count) {
        return Bytes.none().u64(address, count);
    }

    /** {@code u32 argsz, u32 flags}, then the feature's data. */
    public static Bytes feature(long argsz, long flags) {
        return Bytes.none().u32(argsz, flags);
    }

    /** {@code u32 argsz, u32 size}, then the data of a write. */
    public static Bytes migData(long argsz, long size) {
        return Bytes.none().u32(argsz, size);
    }
}
