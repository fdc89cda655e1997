// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.VfioException;
import vmm.stream.FrameKind;
import vmm.stream.Frames;
import vmm.stream.Hello;

/// A machine's memory on its way out: which pages are still to be sent, and how fast that goes. Beyond the first copy a page is sent only
/// because a device or the processors reported it.
final class MemoryCopy {
    private static final int PAGES_A_FRAME = Frames.LONGEST / (Hello.PAGE + Integer.BYTES) - 1;
    private static final int ZEROS_A_FRAME = Frames.LONGEST / Integer.BYTES / 2;
    /// What stopping, saving and loading a device takes besides its bytes, about: see docs/performance.md.
    private static final long NANOS_A_DEVICE = TimeUnit.MILLISECONDS.toNanos(6);
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[Hello.PAGE]);

    private final Machine machine;
    private final Frames frames;
    private final Interruption interruption;
    private final List<BitSet> dirty = new ArrayList<>();
    private final int[] chosen = new int[PAGES_A_FRAME];
    private final int[] zeros = new int[ZEROS_A_FRAME];
    private int rounds;
    private long pages;
    private long nanos;

    /// Looked after between two frames.
    interface Interruption {
        /// Goes on, or not.
        ///
        /// @throws VfioException ECANCELED
        void check() throws VfioException;
    }

    MemoryCopy(Machine machine, Frames frames, Interruption interruption) {
        this.machine = machine;
        this.frames = frames;
        this.interruption = interruption;
        for (int i = 0; i < machine.memory().size(); i++) {
            dirty.add(new BitSet());
        }
    }

    /// Has everybody who writes to memory report it from now on.
    void startLogging() throws VfioException {
        machine.memory().forEach(ram -> ram.logWrites(true));
        for (AssignedDevice device : machine.devices()) {
            device.startLogging(machine.memory());
        }
    }

    /// Everything is to be sent.
    void everything() {
        for (int i = 0; i < dirty.size(); i++) {
            dirty.get(i).set(0, machine.memory().get(i).pages());
        }
    }

    /// Adds what was written since the last time.
    void collect() throws VfioException {
        for (int i = 0; i < dirty.size(); i++) {
            Ram ram = machine.memory().get(i);
            ram.takeWritten(dirty.get(i));
            for (AssignedDevice device : machine.devices()) {
                device.takeWritten(ram, dirty.get(i));
            }
        }
    }

    /// Pages that are known to differ.
    long left() {
        return dirty.stream().mapToLong(BitSet::cardinality).sum();
    }

    /// Copies made so far.
    int rounds() {
        return rounds;
    }

    /// Pages sent so far, zeros among them.
    long pages() {
        return pages;
    }

    /// Bytes a second; 0 before anything was sent.
    long rate() {
        return nanos == 0 ? 0 : (long) (frames.written() * (double) TimeUnit.SECONDS.toNanos(1) / nanos);
    }

    /// How long the machine would stand if it were stopped now.
    Duration expectedDowntime() throws VfioException {
        long state = 0;
        for (AssignedDevice device : machine.devices()) {
            state += device.stateSize();
        }
        return expectedDowntime(left() * Hello.PAGE + state);
    }

    /// How long it would stand if so many bytes were left.
    Duration expectedDowntime(long bytes) {
        long rate = Math.max(1, rate());
        return Duration.ofNanos(machine.devices().size() * NANOS_A_DEVICE + (long) (bytes * (double) TimeUnit.SECONDS.toNanos(1) / rate));
    }

    /// Sends what is known to differ, and waits until the other side has it.
    void round() throws VfioException {
        long begun = System.nanoTime();
        send();
        frames.send(FrameKind.ROUND);
        frames.expect(FrameKind.ROUND_TAKEN);
        nanos += System.nanoTime() - begun;
        rounds++;
    }

    /// Sends what is known to differ.
    void send() throws VfioException {
        for (int block = 0; block < dirty.size(); block++) {
            send(block, machine.memory().get(block).memory(), dirty.get(block));
        }
    }

    private void send(int block, MemorySegment memory, BitSet set) throws VfioException {
        int data = 0;
        int nothing = 0;
        for (int page = set.nextSetBit(0); page >= 0; page = set.nextSetBit(page + 1)) {
            long at = (long) page * Hello.PAGE;
            if (MemorySegment.mismatch(memory, at, at + Hello.PAGE, ZEROS, 0, Hello.PAGE) < 0) {
                zeros[nothing++] = page;
            } else {
                chosen[data++] = page;
            }
            if (data == chosen.length) {
                sendPages(block, memory, data);
                data = 0;
            }
            if (nothing == zeros.length) {
                sendZeros(block, nothing);
                nothing = 0;
            }
        }
        sendPages(block, memory, data);
        sendZeros(block, nothing);
    }

    private void sendPages(int block, MemorySegment memory, int count) throws VfioException {
        if (count == 0) {
            return;
        }
        interruption.check();
        ByteBuffer out = indices(FrameKind.PAGES, block, chosen, count);
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, (long) chosen[i] * Hello.PAGE, out.array(), out.position(), Hello.PAGE);
            out.position(out.position() + Hello.PAGE);
        }
        frames.end();
        sent(block, chosen, count);
    }

    private void sent(int block, int[] indices, int count) {
        pages += count;
        for (int i = 0; i < count; i++) {
            dirty.get(block).clear(indices[i]);
        }
    }

    private void sendZeros(int block, int count) throws VfioException {
        if (count == 0) {
            return;
        }
        interruption.check();
        indices(FrameKind.ZEROS, block, zeros, count);
        frames.end();
        sent(block, zeros, count);
    }

    private ByteBuffer indices(FrameKind kind, int block, int[] indices, int count) {
        ByteBuffer out = frames.begin(kind).putInt(block).putInt(count);
        for (int i = 0; i < count; i++) {
            out.putInt(indices[i]);
        }
        return out;
    }
}
