// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.util.List;
import vfio.pci.api.VfioException;

/// A machine of memory and processors alone: what is told of it is whether it runs.
final class MemoryMachine implements Machine, AutoCloseable {
    static final long SIZE = 4 << 20;

    private final Ram ram;
    private volatile boolean running;
    private volatile byte[] processors = {1, 2, 3};

    private MemoryMachine(Ram ram, boolean running) {
        this.ram = ram;
        this.running = running;
    }

    static MemoryMachine running() throws VfioException {
        return new MemoryMachine(Ram.create(0x1_0000_0000L, SIZE), true);
    }

    static MemoryMachine empty(long size) throws VfioException {
        MemoryMachine machine = new MemoryMachine(Ram.create(0x1_0000_0000L, size), false);
        machine.processors = new byte[0];
        return machine;
    }

    boolean runs() {
        return running;
    }

    Ram ram() {
        return ram;
    }

    /// A processor writes a page.
    void write(int page, long value) {
        ram.memory().set(java.lang.foreign.ValueLayout.JAVA_LONG, page * 4096L, value);
        ram.wrote(page * 4096L, Long.BYTES);
    }

    @Override
    public List<Ram> memory() {
        return List.of(ram);
    }

    @Override
    public List<AssignedDevice> devices() {
        return List.of();
    }

    @Override
    public void pause() {
        running = false;
    }

    @Override
    public byte[] processors() {
        return processors.clone();
    }

    @Override
    public void processors(byte[] state) {
        processors = state.clone();
    }

    @Override
    public void resume() {
        running = true;
    }

    @Override
    public void close() {
        ram.close();
    }
}
