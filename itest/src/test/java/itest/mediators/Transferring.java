// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/**
 * Makes a device that transfers: it has an address, a count and a doorbell, where other functions have a hash key. A doorbell rung with
 * {@link #READ} copies guest memory into the device, with {@link #WRITE} the device's content to guest memory, both on a thread of its
 * own; with {@link #READ_AT_ONCE} it tries to read within the register access. It takes the functions with the number that is its answer.
 */
public final class Transferring extends Mediator {
    /** Where its registers begin in BAR 0; each has 32 bits. */
    public static final long FIRST = 0xCC00;
    /** Low half of the address in guest memory. */
    public static final long ADDRESS_LOW = FIRST;
    /** High half. */
    public static final long ADDRESS_HIGH = FIRST + 4;
    /** Bytes, up to {@link #MOST}. */
    public static final long COUNT = FIRST + 8;
    /** Begins a transfer. */
    public static final long DOORBELL = FIRST + 12;
    /** Transfers that have ended, read-only. */
    public static final long DONE = FIRST + 16;
    /** How the last of them ended: 0 or an errno, read-only. */
    public static final long RESULT = FIRST + 20;
    /** What the doorbell takes. */
    public static final int READ = 1;
    /** What the doorbell takes. */
    public static final int WRITE = 2;
    /** What the doorbell takes. */
    public static final int READ_AT_ONCE = 3;
    /** Most bytes of a transfer. */
    public static final int MOST = 1 << 18;

    private static final long END = FIRST + 24;
    private static final int REGISTERS = 6;
    private static final int QUEUED = 4;
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public Transferring(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return function.address().function() == setting().answer() ? Optional.of(new Engine(context, function.address().toString()))
            : Optional.empty();
    }

    private static final class Engine extends Mediation {
        private final MediationContext context;
        private final int[] registers = new int[REGISTERS];
        private final AtomicInteger done = new AtomicInteger();
        private final ThreadPoolExecutor thread;
        private final MemorySegment content = Arena.ofAuto().allocate(MOST);
        private volatile int result;

        Engine(MediationContext context, String address) {
            this.context = context;
            thread = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUED),
                task -> new Thread(task, "transfers-" + address), (task, pool) -> done.incrementAndGet());
        }

        @Override
        public List<Claim> claims() {
            return List.of(Claim.of(RegionIndex.BAR0, FIRST, END - FIRST));
        }

        @Override
        public synchronized Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
            if (offset % Integer.BYTES != 0 || count != Integer.BYTES || offset < FIRST) {
                return Verdict.PASS_THROUGH;
            }
            int value = offset == DONE ? done.get() : offset == RESULT ? result : registers[(int) (offset - FIRST) / Integer.BYTES];
            buffer.set(WORD, bufferOffset, value);
            return Verdict.HANDLED;
        }

        @Override
        public synchronized Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count)
                throws VfioException {
            if (offset % Integer.BYTES != 0 || count != Integer.BYTES || offset < FIRST) {
                return Verdict.PASS_THROUGH;
            }
            int value = buffer.get(WORD, bufferOffset);
            registers[(int) (offset - FIRST) / Integer.BYTES] = value;
            if (offset == DOORBELL) {
                long address = Integer.toUnsignedLong(registers[1]) << Integer.SIZE | Integer.toUnsignedLong(registers[0]);
                int bytes = Math.clamp(registers[2], 0, MOST);
                if (value == READ_AT_ONCE) {
                    context.guestMemory().read(address, content, 0, bytes);
                } else {
                    thread.execute(() -> transfer(value, address, bytes));
                }
            }
            return Verdict.HANDLED;
        }

        private void transfer(int direction, long address, int bytes) {
            int errno = 0;
            try {
                if (direction == WRITE) {
                    context.guestMemory().write(address, content, 0, bytes);
                } else {
                    context.guestMemory().read(address, content, 0, bytes);
                }
            } catch (VfioException e) {
                errno = e.errno().value();
            }
            result = errno;
            done.incrementAndGet();
        }

        @Override
        public void close() {
            thread.shutdownNow();
        }
    }
}
