// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import itest.mediators.Transferring;
import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** A session that a client might have, made up: each message is well-formed, and mostly makes sense. */
final class Invented {
    private static final int PAGE = 4096;
    private static final int MOST_MESSAGES = 250;
    private static final int[] COUNTS = {1, 2, 4, 4, 4, 8, 3, 16, 64, 256, 4096};
    private static final String[] PROPOSALS = {Payload.QEMU, "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}",
        "{\"capabilities\":{\"max_data_xfer_size\":64}}", "{}", "{\"capabilities\":{\"write_multiple\":true,\"x_disablable_areas\":true}}"};

    private final RandomGenerator random;
    private final List<Outgoing> messages = new ArrayList<>();
    private final List<long[]> maps = new ArrayList<>();

    private Invented(RandomGenerator random) {
        this.random = random;
    }

    static List<Outgoing> session(RandomGenerator random) {
        var session = new Invented(random);
        if (random.nextInt(20) > 0) {
            session.add(Command.VERSION, 0, Payload.version(PROPOSALS[random.nextInt(PROPOSALS.length)]));
        }
        int count = random.nextInt(1, MOST_MESSAGES);
        while (session.messages.size() < count) {
            session.next();
        }
        return session.messages;
    }

    private void add(int command, int flags, Bytes payload, Kind... files) {
        messages.add(Outgoing.of(messages.size() + 1, command, flags, payload.array(), files));
    }

    private void next() {
        switch (random.nextInt(20)) {
            case 0, 1 -> map();
            case 2 -> unmap();
            case 3 -> add(Command.DEVICE_GET_INFO, 0, Payload.deviceInfo(Payload.DEVICE_INFO));
            case 4 -> add(Command.DEVICE_GET_REGION_INFO, 0, Payload.regionInfo(random.nextBoolean() ? 32 : 256, random.nextInt(11)));
            case 5 -> add(Command.DEVICE_GET_IRQ_INFO, 0, Payload.irqInfo(Payload.IRQ_INFO, random.nextInt(6)));
            case 6, 7 -> setIrqs();
            case 8 -> add(Command.DEVICE_GET_REGION_IO_FDS, 0,
                Payload.regionIoFds(random.nextBoolean() ? 16 : 4096, 0, random.nextInt(10), 0));
            case 9 -> multi();
            case 10 -> other();
            case 11, 12 -> transfer();
            case 13, 14, 15 -> add(Command.REGION_READ, 0, access());
            default -> write();
        }
    }

    private void map() {
        boolean crowded = maps.size() > 40;
        long size = (long) random.nextInt(1, 65) * PAGE;
        long address = crowded ? random.nextInt(64) * PAGE : (maps.size() + 1L) * Files.SIZE;
        maps.add(new long[] {address, size});
        long offset = random.nextInt(64) * (long) PAGE;
        switch (random.nextInt(5)) {
            case 0 -> add(Command.DMA_MAP, 0, Payload.dmaMap(3, 0, address, size));
            case 1 -> add(Command.DMA_MAP, 0, Payload.dmaMap(3 | 8, offset, address, size), Kind.UNSEALED);
            case 2 -> add(Command.DMA_MAP, 0, Payload.dmaMap(random.nextInt(1, 4), offset, address, size), Kind.UNSEALED);
            case 3 -> add(Command.DMA_MAP, 0, Payload.dmaMap(3, offset, address, size), Kind.SEALED);
            default -> add(Command.DMA_MAP, 0, Payload.dmaMap(3, 0, address, 1L << random.nextInt(12, 33)), Kind.LARGE);
        }
    }

    private void unmap() {
        if (maps.isEmpty() || random.nextInt(10) == 0) {
            maps.clear();
            add(Command.DMA_UNMAP, 0, Payload.dmaUnmap(2, 0, 0));
        } else {
            long[] map = maps.remove(random.nextInt(maps.size()));
            add(Command.DMA_UNMAP, 0, Payload.dmaUnmap(0, map[0], map[1]));
        }
    }

    private void setIrqs() {
        int index = random.nextBoolean() ? 2 : random.nextInt(5);
        int count = random.nextInt(index == 2 ? 6 : 2);
        int action = 8 << random.nextInt(3);
        switch (random.nextInt(4)) {
            case 0 -> add(Command.DEVICE_SET_IRQS, 0, Payload.irqSet(Command.DATA_NONE | action, index, 0, count));
            case 1 -> {
                byte[] marks = new byte[count];
                random.nextBytes(marks);
                add(Command.DEVICE_SET_IRQS, 0, Payload.irqSet(Command.DATA_BOOL | action, index, 0, count).raw(marks));
            }
            default -> {
                Kind[] files = new Kind[count];
                Arrays.fill(files, Kind.EVENTFD);
                if (count > 0 && random.nextInt(8) == 0) {
                    files[random.nextInt(count)] = Kind.values()[random.nextInt(Kind.values().length)];
                }
                add(Command.DEVICE_SET_IRQS, 0, Payload.irqSet(Command.DATA_EVENTFD | Command.TRIGGER, index, 0, count), files);
            }
        }
    }

    private Bytes access() {
        return access(COUNTS[random.nextInt(COUNTS.length)]);
    }

    private Bytes access(int count) {
        int region = switch (random.nextInt(6)) {
            case 0, 1 -> 7;
            case 2 -> random.nextInt(10);
            default -> 0;
        };
        int limit = region == 7 ? PAGE : 0x10000;
        return Payload.access(random.nextInt(limit - count + 1) & (random.nextInt(8) == 0 ? -1 : -4L), region, count);
    }

    private void write() {
        int count = COUNTS[random.nextInt(COUNTS.length)];
        byte[] data = new byte[count];
        random.nextBytes(data);
        add(Command.REGION_WRITE, random.nextBoolean() ? Message.NO_REPLY : 0, access(count).raw(data));
    }

    private void multi() {
        int count = random.nextInt(1, 20);
        Bytes all = Bytes.none().u64(count);
        for (int i = 0; i < count; i++) {
            all.raw(access(random.nextInt(1, 9)).array()).u64(random.nextLong());
        }
        add(Command.REGION_WRITE_MULTI, 0, all);
    }

    private void other() {
        switch (random.nextInt(6)) {
            case 0 -> add(Command.DEVICE_RESET, 0, Bytes.none());
            case 1 -> add(Command.DEVICE_FEATURE, 0,
                Payload.feature(64, random.nextInt(12) | 1 << random.nextInt(16, 19)).zeros(random.nextInt(57)));
            case 2 -> add(Command.MIG_DATA_READ, 0, Payload.migData(0x1000, 0x800));
            case 3 -> add(Command.MIG_DATA_WRITE, 0, Payload.migData(16, 8).u64(random.nextLong()));
            case 4 -> add(random.nextInt(30), 0, Bytes.none().zeros(random.nextInt(64)));
            default -> add(Command.DMA_READ, Message.REPLY, Payload.dmaAccess(PAGE, 8).u64(0));
        }
    }

    /** As {@link Transferring} takes it; other devices have other registers there. */
    private void transfer() {
        long address = maps.isEmpty() ? random.nextLong() : maps.get(random.nextInt(maps.size()))[0] + random.nextInt(PAGE);
        long[] values = {address, address >>> 32, random.nextInt(random.nextInt(4) == 0 ? Transferring.MOST : 512), random.nextInt(1, 4)};
        for (int i = 0; i < values.length; i++) {
            add(Command.REGION_WRITE, i < values.length - 1 ? Message.NO_REPLY : 0,
                Payload.access(Transferring.FIRST + 4L * i, 0, 4).u32(values[i]));
        }
    }
}
