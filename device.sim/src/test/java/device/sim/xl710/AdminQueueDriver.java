// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.Await;
import device.sim.GuestRam;
import device.sim.TestDriver;
import java.util.Arrays;
import vfio.pci.api.VfioException;

/// A physical function's driver as far as its admin queue for commands goes.
final class AdminQueueDriver {
    private static final int RING = 0x10_1000;
    private static final int BUFFER = 0x11_0000;
    private static final int LENGTH = 32;
    private static final int PART = 4096;

    private final TestDriver driver;
    private final GuestRam ram;
    private int next;

    AdminQueueDriver(TestDriver driver) throws VfioException {
        this.driver = driver;
        this.ram = driver.ram();
        driver.write(0x80300, 0);
        driver.write(0x80400, 0);
        driver.write(0x80200, 0x8000_0000 | LENGTH);
        driver.write(0x80000, RING);
        driver.write(0x80100, 0);
    }

    /// What a command was answered.
    record Answer(int flags, int length, int code, int param0, int param1, int high, int low) {
    }

    /// Sends a command and waits until the device is done with it. What it wrote into the buffer is at [#buffer].
    Answer command(int opcode, int param0, int param1, byte[] out, int room) throws Exception {
        int at = RING + 32 * next;
        int length = Math.max(out.length, room);
        ram.set(BUFFER, out);
        ram.set(at, (length > 0 ? 0x1000 : 0) | (out.length > 0 ? 0x400 : 0) | (length > 512 ? 0x200 : 0) | 0x2000 | opcode << 16);
        ram.set(at + 4, length);
        ram.set(at + 8, 0);
        ram.set(at + 12, 0);
        ram.set(at + 16, param0);
        ram.set(at + 20, param1);
        ram.set(at + 24, 0);
        ram.set(at + 28, length > 0 ? BUFFER : 0);
        next = (next + 1) % LENGTH;
        driver.write(0x80400, next);
        Await.until("ATQH", () -> driver.read(0x80300) == next);
        return new Answer(ram.get(at) & 0xFFFF, ram.get(at + 4) & 0xFFFF, ram.get(at + 4) >>> 16, ram.get(at + 16), ram.get(at + 20),
            ram.get(at + 24), ram.get(at + 28));
    }

    Answer state(int operation, int function, int param1, byte[] out, int room) throws Exception {
        return command(0xFE10, operation << 16 | function, param1, out, room);
    }

    int stop(int function) throws Exception {
        Answer answer = state(1, function, 0, new byte[0], 0);
        if (answer.code() != 0) {
            throw new AssertionError(answer);
        }
        return answer.param1();
    }

    byte[] read(int function) throws Exception {
        byte[] all = new byte[0];
        while (true) {
            Answer answer = state(2, function, all.length, new byte[0], PART);
            if (answer.code() != 0) {
                throw new AssertionError(answer);
            }
            int count = Math.min(answer.length(), answer.param1() - all.length);
            int end = all.length;
            all = Arrays.copyOf(all, end + count);
            System.arraycopy(ram.get(BUFFER, count), 0, all, end, count);
            if (all.length == answer.param1()) {
                return all;
            }
        }
    }

    int write(int function, byte[] state) throws Exception {
        for (int done = 0; done < state.length; done += PART) {
            Answer answer = state(3, function, done, Arrays.copyOfRange(state, done, Math.min(done + PART, state.length)), 0);
            if (answer.code() != 0) {
                return answer.code();
            }
        }
        return state(4, function, 0, new byte[0], 0).code();
    }

    int restart(int function) throws Exception {
        return state(5, function, 0, new byte[0], 0).code();
    }
}
