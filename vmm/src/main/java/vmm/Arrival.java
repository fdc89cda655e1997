// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.Whereabouts;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;
import vmm.channel.Link;
import vmm.stream.FrameKind;
import vmm.stream.Frames;
import vmm.stream.Hello;

/// One connection of a source, from its first word to the end.
final class Arrival {
    private static final int PART = 1 << 17;

    private final Machine machine;
    private final Frames frames;
    private final Steps steps;
    private final MemoryFill memory;
    private final byte[] part = new byte[PART];
    private final byte[][] configs;
    private Optional<byte[]> processors = Optional.empty();
    private long stateBytes;
    private int rounds;
    private boolean touched;
    private boolean begun;

    Arrival(Machine machine, Link link, Steps steps) {
        this.machine = machine;
        this.steps = steps;
        frames = new Frames(link);
        memory = new MemoryFill(machine.memory());
        configs = new byte[machine.devices().size()][];
    }

    /// Whether it was about moving the machine, and not a question, or nothing at all.
    boolean begun() {
        return begun;
    }

    /// Takes the machine, or fails to.
    MigrationOutcome run() {
        boolean running = false;
        try {
            Hello hello = Hello.decode(frames.expect(FrameKind.HELLO).bytes());
            begun = !hello.dryRun();
            accept(hello);
            if (hello.dryRun()) {
                answerProbes();
                return putBack("dry run");
            }
            steps.before(Step.FILL);
            fill();
            steps.before(Step.LOAD);
            load();
            steps.before(Step.READY);
            frames.send(FrameKind.READY);
            frames.expect(FrameKind.COMMIT);
            steps.before(Step.RUN);
            start();
            running = true;
            steps.before(Step.DONE);
            frames.send(FrameKind.DONE);
            return outcome(Whereabouts.DESTINATION, true, "");
        } catch (VfioException e) {
            return running ? outcome(Whereabouts.DESTINATION, true, "the source was not told: " + e) : refuse(e);
        }
    }

    /// Puts the devices back first: who reads the refusal may use the other ones.
    private MigrationOutcome refuse(VfioException why) {
        MigrationOutcome outcome = putBack(why.toString());
        try {
            frames.refuse(why.toString());
        } catch (VfioException e) {
            return outcome;
        }
        return outcome;
    }

    private MigrationOutcome putBack(String message) {
        VfioException failed = null;
        for (AssignedDevice device : touched ? machine.devices() : List.<AssignedDevice>of()) {
            try {
                device.reset();
            } catch (VfioException e) {
                failed = e;
            }
        }
        return failed == null ? outcome(Whereabouts.SOURCE, false, message)
            : outcome(Whereabouts.NOWHERE, false, message + "; and here: " + failed);
    }

    private MigrationOutcome outcome(Whereabouts use, boolean done, String message) {
        return new MigrationOutcome(use, done, message, rounds, memory.pages(), 0, Duration.ZERO);
    }

    private void accept(Hello hello) throws VfioException {
        steps.before(Step.ACCEPT);
        List<Hello.Block> blocks = machine.memory().stream().map(Ram::block).toList();
        if (!hello.memory().equals(blocks)) {
            throw new VfioException(Errno.EINVAL, "memory=%s expected=%s".formatted(hello.memory(), blocks));
        }
        List<String> slots = machine.devices().stream().map(AssignedDevice::slot).toList();
        List<String> told = hello.devices().stream().map(Hello.Device::slot).toList();
        if (!told.equals(slots)) {
            throw new VfioException(Errno.EINVAL, "devices=%s expected=%s".formatted(told, slots));
        }
        touched = true;
        for (int i = 0; i < slots.size(); i++) {
            accept(machine.devices().get(i), hello.devices().get(i));
        }
        frames.send(FrameKind.ACCEPT);
    }

    private void accept(AssignedDevice device, Hello.Device source) throws VfioException {
        device.flags();
        byte[] own = device.identity();
        if (!Arrays.equals(own, source.identity())) {
            throw new VfioException(Errno.EINVAL, "device=%s identity=%s expected=%s".formatted(device, Arrays.toString(source.identity()),
                Arrays.toString(own)));
        }
        device.state(MigrationState.RESUMING);
        if (source.head().length > 0) {
            device.write(source.head(), 0, source.head().length);
        }
        stateBytes += source.head().length;
    }

    private void answerProbes() throws VfioException {
        for (FrameKind kind = frames.receive().kind(); kind != FrameKind.ROUND; kind = frames.receive().kind()) {
            if (kind != FrameKind.PROBE) {
                throw unexpected(kind);
            }
        }
        frames.send(FrameKind.ROUND_TAKEN);
    }

    private static VfioException unexpected(FrameKind kind) {
        return new VfioException(Errno.EPROTO, "frame=%s expected=another".formatted(kind));
    }

    private void fill() throws VfioException {
        while (true) {
            Frames.Frame frame = frames.receive();
            ByteBuffer bytes = frame.bytes();
            switch (frame.kind()) {
                case PAGES -> memory.pages(bytes);
                case ZEROS -> memory.zeros(bytes);
                case ROUND -> {
                    rounds++;
                    frames.send(FrameKind.ROUND_TAKEN);
                }
                case DEVICE -> state(device(bytes), bytes);
                case CONFIG -> {
                    int index = device(bytes);
                    configs[index] = rest(bytes);
                }
                case PROCESSORS -> processors = Optional.of(rest(bytes));
                case SEAL -> {
                    checkSeal(bytes);
                    return;
                }
                default -> throw unexpected(frame.kind());
            }
        }
    }

    private int device(ByteBuffer bytes) throws VfioException {
        int index = bytes.remaining() < Integer.BYTES ? -1 : bytes.getInt();
        if (index < 0 || index >= configs.length) {
            throw new VfioException(Errno.EPROTO, "device=%d expected=below %d".formatted(index, configs.length));
        }
        return index;
    }

    private void state(int index, ByteBuffer bytes) throws VfioException {
        while (bytes.hasRemaining()) {
            int count = Math.min(part.length, bytes.remaining());
            bytes.get(part, 0, count);
            machine.devices().get(index).write(part, 0, count);
            stateBytes += count;
        }
    }

    private static byte[] rest(ByteBuffer bytes) {
        byte[] rest = new byte[bytes.remaining()];
        bytes.get(rest);
        return rest;
    }

    private void checkSeal(ByteBuffer bytes) throws VfioException {
        long pages = bytes.remaining() == 2 * Long.BYTES ? bytes.getLong() : -1;
        long state = bytes.hasRemaining() ? bytes.getLong() : -1;
        if (pages != memory.pages() || state != stateBytes || processors.isEmpty() || Arrays.asList(configs).contains(null)) {
            throw new VfioException(Errno.EPROTO, "seal pages=%d state=0x%x expected=%d, 0x%x, each device's configuration, processors"
                .formatted(pages, state, memory.pages(), stateBytes));
        }
    }

    /// On leaving RESUMING a device takes its state over, or refuses it.
    private void load() throws VfioException {
        for (int i = 0; i < configs.length; i++) {
            machine.devices().get(i).config(configs[i]);
            machine.devices().get(i).state(MigrationState.STOP);
        }
        machine.processors(processors.orElseThrow());
    }

    private void start() throws VfioException {
        boolean peerToPeer = true;
        for (AssignedDevice device : machine.devices()) {
            peerToPeer &= device.flags().contains(MigrationFlag.P2P);
        }
        for (MigrationState state : peerToPeer ? List.of(MigrationState.RUNNING_P2P, MigrationState.RUNNING)
                : List.of(MigrationState.RUNNING)) {
            for (AssignedDevice device : machine.devices()) {
                device.state(state);
            }
        }
        machine.resume();
    }
}
