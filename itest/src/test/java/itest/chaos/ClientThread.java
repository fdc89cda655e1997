// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.mediators.Chaotic;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;

/**
 * A client of one device, a thread of its own: it knows what each access has to answer. When it loses the device it opens it again and goes
 * on where it was: an access that was refused as the device went is not done.
 */
final class ClientThread {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LONGEST_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(40);
    private static final int ROUNDS_BETWEEN_RESTS = 16;
    private static final int ROUNDS_OF_A_PORT = 2_000;

    private final ChaoticDevice device;
    private final int number;
    private final SplittableRandom random;
    private final MemorySegment buffer = Arena.ofAuto().allocate(WORD);
    private final Thread thread;
    private volatile boolean ending;
    private volatile Throwable failure;
    private VfioDevice handle;
    private DevicePort port;
    private long written;
    private long taken;
    private long state;
    private volatile long rounds;

    ClientThread(ChaoticDevice device, int number, SplittableRandom random) {
        this.device = device;
        this.number = number;
        this.random = random;
        this.thread = Thread.ofPlatform().name("chaos-client-" + device.address() + "-" + number).daemon().unstarted(this::run);
    }

    /** Opens the device and begins. */
    void start() throws VfioException {
        open();
        thread.start();
    }

    /** How far it is. */
    long rounds() {
        return rounds;
    }

    /** Has it end after the access it is in. */
    void end() {
        ending = true;
    }

    /**
     * What is wrong with it, when it has ended, or with what the device counted of it.
     *
     * @param deadlineNanos until when it is waited for
     */
    Optional<String> verdict(long deadlineNanos) throws InterruptedException {
        long left = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
        thread.join(Math.max(1, left));
        if (thread.isAlive()) {
            return Optional.of("%s hangs: %s".formatted(thread.getName(), List.of(thread.getStackTrace())));
        }
        Throwable wrong = failure;
        if (wrong != null) {
            return Optional.of("%s: %s".formatted(thread.getName(), wrong));
        }
        CountedFunction truth = device.function();
        return truth.writes(number) == written && truth.reads(number) == taken ? Optional.empty()
            : Optional.of("%s wrote %d and read %d, the device counted %d and %d".formatted(thread.getName(), written, taken,
                truth.writes(number), truth.reads(number)));
    }

    /** Whether it goes on still. */
    boolean isWell() {
        return thread.isAlive() && failure == null;
    }

    private void run() {
        try {
            while (!ending) {
                round();
                rounds++;
                if (rounds % ROUNDS_BETWEEN_RESTS == 0) {
                    LockSupport.parkNanos(random.nextLong(LONGEST_REST_NANOS));
                }
            }
        } catch (VfioException | RuntimeException | Error e) { // checkstyle: allow IllegalCatch: it is told in the end
            failure = e;
        } finally {
            handle.close();
            // A class loader of Felix may go on naming the thread as the one that loads a class, and by it this.
            handle = null;
            port = null;
        }
    }

    private void open() throws VfioException {
        handle = device.open(number);
        boolean done = false;
        try {
            port = handle.port();
            done = true;
        } finally {
            if (!done) {
                handle.close();
            }
        }
    }

    private void round() throws VfioException {
        try {
            if (random.nextInt(ROUNDS_OF_A_PORT) == 0) {
                port.close();
                port = handle.port();
            }
            access();
            device.answered();
        } catch (VfioException e) {
            if (e.errno() != Errno.ENODEV) {
                throw e;
            }
            openAgain();
        }
    }

    private void openAgain() throws VfioException {
        handle.close();
        device.reopened();
        long begin = System.nanoTime();
        while (true) {
            try {
                open();
                return;
            } catch (VfioException e) {
                if (e.errno() != Errno.ENODEV || System.nanoTime() - begin > ChaosIT.PATIENCE.toNanos()) {
                    throw e;
                }
                LockSupport.parkNanos(LONGEST_REST_NANOS / ROUNDS_BETWEEN_RESTS);
            }
        }
    }

    private void access() throws VfioException {
        long began = device.incarnations().now();
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> write();
            case 3, 4, 5 -> {
                long answer = read(Chaotic.TAKEN);
                expect("reads", answer & CountedFunction.COUNT_MASK, ++taken);
                meet(answer >>> Chaotic.COUNT_BITS, began);
            }
            case 6 -> who(began);
            default -> {
                expect("written", read(Chaotic.WRITTEN) & CountedFunction.COUNT_MASK, written);
                state();
            }
        }
    }

    private void write() throws VfioException {
        buffer.set(WORD, 0, written + 1);
        port.write(RegionIndex.BAR0, (long) number * Chaotic.STRIDE + Chaotic.WRITTEN, buffer, 0, Long.BYTES);
        written++;
    }

    private long read(int register) throws VfioException {
        port.read(RegionIndex.BAR0, (long) number * Chaotic.STRIDE + register, buffer, 0, Long.BYTES);
        return buffer.get(WORD, 0);
    }

    private void who(long began) throws VfioException {
        long guarded = device.guarded();
        long incarnation = read(Chaotic.WHO);
        meet(incarnation, began);
        if (incarnation == 0 && guarded != 0 && device.guarded() == guarded) {
            throw new AssertionError("passed by the mediators while the device had one or waited for one");
        }
    }

    private void meet(long incarnation, long began) {
        device.incarnations().check(incarnation, began);
        device.met(incarnation);
    }

    /** A state goes on counting, whoever has it; another one is newer and begins with 1. */
    private void state() throws VfioException {
        long now = read(Chaotic.STATE);
        if (now == 0) {
            return;
        }
        long before = state;
        state = now;
        if (now >>> Chaotic.COUNT_BITS == before >>> Chaotic.COUNT_BITS) {
            expect("state", now, before + 1);
        } else if (now < before || (now & CountedFunction.COUNT_MASK) != 1) {
            throw new AssertionError("state=0x%x expected=the first count of one after 0x%x".formatted(now, before));
        }
    }

    private static void expect(String what, long actual, long expected) {
        if (actual != expected) {
            throw new AssertionError("%s=0x%x expected=0x%x".formatted(what, actual, expected));
        }
    }
}
