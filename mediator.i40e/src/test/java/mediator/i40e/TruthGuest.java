// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;

/// A guest's driver of a virtual function: its mailbox, and one queue pair whose buffers change all the time. It does what drivers do, in
/// orders of its own. For one thread.
final class TruthGuest implements AutoCloseable {
    /// Descriptors of each of the mailbox's rings.
    static final int MAILBOX = 32;

    private static final Duration LONGEST = Duration.ofSeconds(20);
    private static final int BAR = 0;
    private static final int CONFIG = 7;
    private static final int COMMAND = 4;
    private static final int MEMORY_AND_MASTER = 6;
    private static final int ENABLE = 1 << 31;
    private static final int BUFFER = 0x1000;

    private static final int ATQH = 0x6400;
    private static final int ATQT = 0x8400;
    private static final int ATQLEN = 0x6800;
    private static final int ATQBAL = 0x7C00;
    private static final int ATQBAH = 0x7800;
    private static final int ARQH = 0x7400;
    private static final int ARQT = 0x7000;
    private static final int ARQLEN = 0x8000;
    private static final int ARQBAL = 0x6C00;
    private static final int ARQBAH = 0x6000;
    private static final int RSTAT = 0x8800;
    private static final int DYN_CTLN = 0x3800;
    private static final int INTERRUPT_ENABLE = 0x19;
    private static final int MSIX = 2;
    private static final int MSIX_BAR = 3;
    private static final int MSIX_CONTROL = 0x72;
    private static final int QTX_TAIL = 0x0000;
    private static final int QRX_TAIL = 0x2000;
    private static final int TAILS = 0x1000;

    private static final int VERSION = 1;
    private static final int RESET_VF = 2;
    private static final int RESOURCES = 3;
    private static final int CONFIGURE = 6;
    private static final int ENABLE_QUEUES = 8;
    private static final int DISABLE_QUEUES = 9;
    private static final int MAP_INTERRUPTS = 7;
    private static final int STATISTICS = 15;
    private static final int EVENT = 17;

    private static final VarHandle TAIL = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private final VfioDevice device;
    private final TruthMemory memory;
    private final DevicePort port;
    private final List<RegionMap> tails;
    private final MemorySegment word = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    private final TruthRings rings;
    private final AtomicInteger fired = new AtomicInteger();
    private boolean interrupts;
    private int nextCommand;
    private int nextMessage;
    private int vsi;
    private byte[] mac = new byte[6];

    /// Maps the memory, and finds the function as drivers do.
    TruthGuest(VfioDevice device, TruthMemory memory, boolean mappedTails, RandomGenerator random) throws VfioException {
        this.device = device;
        this.memory = memory;
        this.port = device.port();
        this.tails = mappedTails ? List.of(device.map(BAR, QTX_TAIL, TAILS), device.map(BAR, QRX_TAIL, TAILS)) : List.of();
        this.rings = new TruthRings(memory, random);
        memory.map(device);
        word.set(TruthMemory.U16, 0, (short) MEMORY_AND_MASTER);
        port.write(CONFIG, COMMAND, word, 0, Short.BYTES);
        find();
    }

    TruthRings rings() {
        return rings;
    }

    VfioDevice device() {
        return device;
    }

    byte[] mac() {
        return mac;
    }

    private void find() throws VfioException {
        await("VFGEN_RSTAT", () -> read(RSTAT) == 2);
        startMailbox();
        ask(VERSION, ints(1, 1));
        ByteBuffer resources = ByteBuffer.wrap(ask(RESOURCES, ints(0x81))).order(ByteOrder.LITTLE_ENDIAN);
        vsi = Short.toUnsignedInt(resources.getShort(20));
        resources.get(30, mac);
    }

    private void startMailbox() throws VfioException {
        nextCommand = 0;
        nextMessage = 0;
        memory.bytes(TruthRings.ATQ, new byte[MAILBOX * TruthRings.MAILBOX_DESCRIPTOR]);
        write(ATQH, 0);
        write(ATQT, 0);
        write(ATQLEN, ENABLE | MAILBOX);
        base(ATQBAL, ATQBAH, TruthRings.ATQ);
        for (int i = 0; i < MAILBOX; i++) {
            post(i);
        }
        write(ARQH, 0);
        write(ARQT, 0);
        write(ARQLEN, ENABLE | MAILBOX);
        base(ARQBAL, ARQBAH, TruthRings.ARQ);
        write(ARQT, MAILBOX - 1);
    }

    private void base(int low, int high, long at) throws VfioException {
        write(low, (int) (TruthMemory.IOVA + at));
        write(high, (int) (TruthMemory.IOVA + at >>> Integer.SIZE));
    }

    private void post(int index) {
        descriptor(TruthRings.ARQ + index * TruthRings.MAILBOX_DESCRIPTOR, 0x1200, 0, BUFFER, 0, rings.messageBuffer(index));
    }

    private void descriptor(long at, int flags, int opcode, int length, int cookie, long buffer) {
        memory.u32(at, flags | opcode << 16);
        memory.u32(at + 4, length);
        memory.u32(at + 8, cookie);
        memory.u32(at + 12, 0);
        memory.u64(at + 16, 0);
        memory.u32(at + 24, (int) (TruthMemory.IOVA + buffer >>> Integer.SIZE));
        memory.u32(at + 28, (int) (TruthMemory.IOVA + buffer));
    }

    private void send(int opcode, byte[] payload) throws VfioException {
        long buffer = TruthRings.ATQ_BUFFERS + (long) nextCommand * BUFFER;
        memory.bytes(buffer, payload);
        descriptor(TruthRings.ATQ + (long) nextCommand * TruthRings.MAILBOX_DESCRIPTOR, 0x3400, 0x0801, payload.length, opcode, buffer);
        nextCommand = (nextCommand + 1) % MAILBOX;
        write(ATQT, nextCommand);
    }

    /// Sends a message and waits for its answer. Every message takes a buffer, and gives another one back.
    byte[] ask(int opcode, byte[] payload) throws VfioException {
        send(opcode, payload);
        while (true) {
            await("answer to " + opcode, () -> read(ARQH) != nextMessage);
            long at = TruthRings.ARQ + (long) nextMessage * TruthRings.MAILBOX_DESCRIPTOR;
            MemorySegment ram = memory.memory();
            int answered = ram.get(TruthMemory.U32, at + 8);
            int status = ram.get(TruthMemory.U32, at + 12);
            int length = Short.toUnsignedInt(ram.get(TruthMemory.U16, at + 4));
            byte[] answer = ram.asSlice(rings.messageBuffer(nextMessage), length).toArray(ValueLayout.JAVA_BYTE);
            rings.changeMessageBuffer(nextMessage);
            post(nextMessage);
            write(ARQT, nextMessage);
            nextMessage = (nextMessage + 1) % MAILBOX;
            if (answered == opcode && status == 0) {
                return answer;
            }
            if (answered != EVENT) {
                throw new AssertionError("opcode=%d answered=%d status=%d".formatted(opcode, answered, status));
            }
        }
    }

    /// A message that is answered by many bytes.
    void chat() throws VfioException {
        ask(STATISTICS, ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putShort(0, (short) vsi).array());
    }

    /// Opens the queue pair: describes new rings, hands buffers over and enables the queues, in one of the orders of drivers.
    ///
    /// @param order 0 buffers first; 1 description first; 2 enabled first, with a tail of 0: the device keeps the one it had, and would own
    ///     what is not written yet
    void open(int order, int receiveLength, int transmitLength) throws VfioException {
        rings.choose(receiveLength, transmitLength);
        if (order == 0) {
            postAndRing(Integer.MAX_VALUE);
        }
        ask(CONFIGURE, rings.description(vsi));
        if (order == 1) {
            postAndRing(Integer.MAX_VALUE);
        }
        if (order == 2) {
            ring(QRX_TAIL, 0);
        }
        ask(MAP_INTERRUPTS, ByteBuffer.allocate(26).order(ByteOrder.LITTLE_ENDIAN).putShort(0, (short) 1).putShort(2, (short) vsi)
            .putShort(4, (short) 1).putShort(6, (short) 1).putShort(8, (short) 1).array());
        ask(ENABLE_QUEUES, selection());
        enableInterrupt();
        if (order == 2) {
            postAndRing(Integer.MAX_VALUE);
        }
    }

    /// Closes it: the device uses none of its memory any more.
    void close(boolean reopenAsItWas) throws VfioException {
        ask(DISABLE_QUEUES, selection());
        rings.takeBack();
        if (reopenAsItWas) {
            postAndRing(Integer.MAX_VALUE);
            ask(ENABLE_QUEUES, selection());
        }
    }

    /// Takes the queue's interrupts from now on; each is to be enabled by [#enableInterrupt].
    void takeInterrupts() throws VfioException {
        interrupts = true;
        device.setIrqTriggers(MSIX, 0, List.of(() -> { }, fired::incrementAndGet));
        word.set(TruthMemory.U16, 0, (short) 0x8000);
        port.write(CONFIG, MSIX_CONTROL, word, 0, Short.BYTES);
        for (int entry = 0; entry < 2; entry++) {
            word.set(TruthMemory.U32, 0, 0);
            port.write(MSIX_BAR, 16L * entry + 12, word, 0, Integer.BYTES);
        }
    }

    /// Interrupts of the queue that came.
    int fired() {
        return fired.get();
    }

    /// Has the queue interrupt once, at once if something has happened since the last time.
    void enableInterrupt() throws VfioException {
        if (interrupts) {
            write(DYN_CTLN, INTERRUPT_ENABLE);
        }
    }

    private byte[] selection() {
        return ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putShort(0, (short) vsi).putInt(4, 1).putInt(8, 1).array();
    }

    /// Has the function reset by its physical one, and finds it again; its queues are closed.
    void reset() throws VfioException {
        send(RESET_VF, new byte[0]);
        await("ARQLEN", () -> (read(ARQLEN) & ENABLE) == 0);
        find();
        rings.takeBack();
    }

    /// Gives the device up to so many buffers.
    void postAndRing(int most) throws VfioException {
        if (rings.post(most)) {
            ring(QRX_TAIL, rings.receiveTail());
        }
    }

    /// Gives the device frames to send.
    void transmit(int frames, byte[] to) throws VfioException {
        rings.clean();
        if (rings.addFrames(frames, to, mac)) {
            ring(QTX_TAIL, rings.transmitTail());
        }
    }

    private void ring(int register, int value) throws VfioException {
        if (!tails.isEmpty()) {
            TAIL.setVolatile(tails.get(register == QTX_TAIL ? 0 : 1).memory(), 0L, value);
        } else {
            write(register, value);
        }
    }

    int read(int register) throws VfioException {
        port.read(BAR, register, word, 0, Integer.BYTES);
        return word.get(TruthMemory.U32, 0);
    }

    private void write(int register, int value) throws VfioException {
        word.set(TruthMemory.U32, 0, value);
        port.write(BAR, register, word, 0, Integer.BYTES);
    }

    private static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.stream(values).forEach(bytes::putInt);
        return bytes.array();
    }

    /// Something that comes about by itself.
    interface Condition {
        boolean holds() throws VfioException;
    }

    static void await(String what, Condition condition) throws VfioException {
        long end = System.nanoTime() + LONGEST.toNanos();
        for (int turn = 0; !condition.holds(); turn++) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("did not come about: " + what);
            }
            Thread.yield();
        }
    }

    @Override
    public void close() {
        tails.forEach(RegionMap::close);
        port.close();
        device.close();
    }
}
