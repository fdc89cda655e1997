// SPDX-License-Identifier: Apache-2.0
package itest.wire;

/** Numbers of the commands, and the flags of their structures. */
public final class Command {
    public static final int VERSION = 1;
    public static final int DMA_MAP = 2;
    public static final int DMA_UNMAP = 3;
    public static final int DEVICE_GET_INFO = 4;
    public static final int DEVICE_GET_REGION_INFO = 5;
    public static final int DEVICE_GET_REGION_IO_FDS = 6;
    public static final int DEVICE_GET_IRQ_INFO = 7;
    public static final int DEVICE_SET_IRQS = 8;
    public static final int REGION_READ = 9;
    public static final int REGION_WRITE = 10;
    public static final int DMA_READ = 11;
    public static final int DMA_WRITE = 12;
    public static final int DEVICE_RESET = 13;
    public static final int REGION_WRITE_MULTI = 15;
    public static final int DEVICE_FEATURE = 16;
    public static final int MIG_DATA_READ = 17;
    public static final int MIG_DATA_WRITE = 18;
    /** One above the last. */
    public static final int END = 19;

    /** Flags of DMA_MAP. */
    public static final int READABLE = 1;
    public static final int WRITABLE = 2;

    /** Flags of a region. */
    public static final int REGION_READABLE = 1;
    public static final int REGION_WRITABLE = 2;
    public static final int REGION_MMAP = 4;
    public static final int REGION_CAPS = 8;

    /** Flags of SET_IRQS. */
    public static final int DATA_NONE = 1;
    public static final int DATA_BOOL = 2;
    public static final int DATA_EVENTFD = 4;
    public static final int MASK = 8;
    public static final int UNMASK = 16;
    public static final int TRIGGER = 32;

    /** Flags of DEVICE_FEATURE, above the feature's number. */
    public static final int FEATURE_GET = 1 << 16;
    public static final int FEATURE_SET = 1 << 17;
    public static final int FEATURE_PROBE = 1 << 18;

    private Command() {
    }
}
