// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.Await;
import device.sim.GuestRam;
import device.sim.TestDriver;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import vfio.pci.api.VfioException;

/// A virtual function's driver as far as the mailbox goes: 32 descriptors and buffers of 4 KiB each way, set up as Linux does.
final class MailboxDriver {
    static final int ATQ = 0x10_1000;
    static final int ARQ = 0x10_2000;
    static final int ATQ_BUFFERS = 0x11_0000;
    static final int ARQ_BUFFERS = 0x14_0000;
    static final int LENGTH = 32;
    static final int ENABLE = 0x8000_0000;

    static final int ATQH = 0x6400;
    static final int ATQT = 0x8400;
    static final int ATQLEN = 0x6800;
    static final int ARQH = 0x7400;
    static final int ARQT = 0x7000;
    static final int ARQLEN = 0x8000;
    static final int RSTAT = 0x8800;

    /// Command register with memory and bus master enabled.
    static final int MEMORY_AND_MASTER = 6;

    private static final int BUFFER = 4096;

    private final TestDriver driver;
    private final GuestRam ram;
    private int nextToUse;
    private int nextToClean;

    MailboxDriver(TestDriver driver) {
        this.driver = driver;
        this.ram = driver.ram();
    }

    /// The same driver on another function.
    MailboxDriver on(TestDriver other) {
        MailboxDriver moved = new MailboxDriver(other);
        moved.nextToUse = nextToUse;
        moved.nextToClean = nextToClean;
        return moved;
    }

    /// What the device sent.
    record Received(int opcode, int status, byte[] payload) {
        int u16(int offset) {
            return Short.toUnsignedInt(bytes().getShort(offset));
        }

        int u32(int offset) {
            return bytes().getInt(offset);
        }

        private ByteBuffer bytes() {
            return ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    /// Enables the function and sets both rings up, in the driver's order.
    void init() throws VfioException {
        driver.config(0x04, 2, MEMORY_AND_MASTER);
        rings();
    }

    /// Sets both rings up, and nothing else.
    void rings() throws VfioException {
        nextToUse = 0;
        nextToClean = 0;
        driver.write(ATQH, 0);
        driver.write(ATQT, 0);
        driver.write(ATQLEN, ENABLE | LENGTH);
        driver.write(0x7C00, ATQ);
        driver.write(0x7800, 0);
        for (int i = 0; i < LENGTH; i++) {
            post(i);
        }
        driver.write(ARQH, 0);
        driver.write(ARQT, 0);
        driver.write(ARQLEN, ENABLE | LENGTH);
        driver.write(0x6C00, ARQ);
        driver.write(0x6000, 0);
        driver.write(ARQT, LENGTH - 1);
    }

    /// As at probe: waits for the function, sets up the mailbox, agrees on the version and takes the capabilities.
    Received start(int capabilities) throws Exception {
        Await.until("VFGEN_RSTAT", () -> driver.read(RSTAT) == 2);
        init();
        ask(1, ints(1, 1));
        return ask(3, ints(capabilities));
    }

    /// Sends a message; returns the index of its descriptor.
    int send(int opcode, byte[] payload) throws VfioException {
        int flags = 0x2000 | (payload.length > 0 ? 0x1400 : 0) | (payload.length > 512 ? 0x200 : 0);
        return command(flags, 0x0801, payload, payload.length, opcode);
    }

    /// Puts a command into the ring and rings for it.
    int command(int flags, int opcode, byte[] payload, int length, int cookieHigh) throws VfioException {
        int index = nextToUse;
        int buffer = ATQ_BUFFERS + index * BUFFER;
        ram.set(buffer, payload);
        descriptor(ATQ + 32 * index, flags, opcode, length, cookieHigh, buffer);
        nextToUse = (nextToUse + 1) % LENGTH;
        driver.write(ATQT, nextToUse);
        return index;
    }

    /// Waits until the device has taken all commands.
    void awaitSent() throws Exception {
        Await.until("ATQH", () -> driver.read(ATQH) == nextToUse);
    }

    /// Sends a message and waits for its answer.
    Received ask(int opcode, byte[] payload) throws Exception {
        send(opcode, payload);
        Received answer = receive();
        if (answer.opcode() != opcode) {
            throw new AssertionError("opcode=%d got=%s".formatted(opcode, answer));
        }
        return answer;
    }

    /// Whether the device has sent something.
    boolean hasMessage() throws VfioException {
        return driver.read(ARQH) != nextToClean;
    }

    /// Waits for what the device sends next, and gives it the buffer back.
    Received receive() throws Exception {
        Received received = peek();
        post(nextToClean);
        driver.write(ARQT, nextToClean);
        nextToClean = (nextToClean + 1) % LENGTH;
        return received;
    }

    /// Gives the next buffer back, whatever is in it.
    void skip() throws VfioException {
        post(nextToClean);
        driver.write(ARQT, nextToClean);
        nextToClean = (nextToClean + 1) % LENGTH;
    }

    /// Waits for what the device sends next.
    Received peek() throws Exception {
        Await.until("ARQH", this::hasMessage);
        int at = ARQ + 32 * nextToClean;
        return new Received(ram.get(at + 8), ram.get(at + 12), ram.get(ARQ_BUFFERS + nextToClean * BUFFER, ram.get(at + 4) & 0xFFFF));
    }

    /// The next descriptor that the device fills.
    int nextReceived() {
        return ARQ + 32 * nextToClean;
    }

    private void post(int index) {
        descriptor(ARQ + 32 * index, 0x1200, 0, BUFFER, 0, ARQ_BUFFERS + index * BUFFER);
    }

    private void descriptor(int at, int flags, int opcode, int length, int cookieHigh, int buffer) {
        ram.set(at, flags | opcode << 16);
        ram.set(at + 4, length);
        ram.set(at + 8, cookieHigh);
        ram.set(at + 12, 0);
        ram.set(at + 16, 0);
        ram.set(at + 20, 0);
        ram.set(at + 24, 0);
        ram.set(at + 28, buffer);
    }

    static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            bytes.putInt(value);
        }
        return bytes.array();
    }

    static byte[] shorts(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(Short.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            bytes.putShort((short) value);
        }
        return bytes.array();
    }
}
