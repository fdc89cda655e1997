// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The saved state of the queues, little-endian: for each pair its transmit queue (u64 base, u32 length, u8 enabled, u8 stopped, u16 head,
/// u16 tail) and its receive queue (u64 base, u32 length, u32 buffer size, u32 longest frame, u8 format, u8 keeps frame check sequence, u8
/// enabled, u8 stopped, u16 head, u16 tail); then for each receive and each transmit queue s16 vector and u16 throttling index; u32 events
/// owed; u64 hashed types, 52 bytes of key, u8 entries, and the table.
final class QueueState {
    private static final int MOST = 4096;
    private static final int MOST_VECTOR = 16;

    private QueueState() {
    }

    private record Tx(TxSettings settings, boolean enabled, StopReason stopped, int head, int tail) {
    }

    private record Rx(RxSettings settings, boolean enabled, StopReason stopped, int head, int tail) {
    }

    static byte[] save(TxQueue[] tx, RxQueue[] rx, Tails tails, QueueEvents events, Rss rss) {
        ByteBuffer out = ByteBuffer.allocate(MOST).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < QueuePairs.PAIRS; i++) {
            TxSettings sent = tx[i].settings();
            out.putLong(sent.base()).putInt(sent.length());
            out.put(flag(tx[i].enabled())).put((byte) tx[i].stopped().ordinal());
            out.putShort((short) tx[i].head()).putShort((short) tails.get(false, i));
            RxSettings received = rx[i].settings();
            out.putLong(received.base()).putInt(received.length()).putInt(received.bufferSize()).putInt(received.maxPacket());
            out.put((byte) received.rxdid()).put(flag(received.keepFcs()));
            out.put(flag(rx[i].enabled())).put((byte) rx[i].stopped().ordinal());
            out.putShort((short) rx[i].head()).putShort((short) tails.get(true, i));
        }
        for (int slot = 0; slot < 2 * QueuePairs.PAIRS; slot++) {
            out.putShort((short) events.vector(slot)).putShort((short) events.throttling(slot));
        }
        out.putInt(events.unreported());
        byte[] table = rss.table();
        out.putLong(rss.hena()).put(rss.key()).put((byte) table.length).put(table);
        byte[] state = new byte[out.position()];
        out.flip().get(state);
        return state;
    }

    static void load(byte[] state, TxQueue[] tx, RxQueue[] rx, Tails tails, QueueEvents events, Rss rss) throws VfioException {
        ByteBuffer in = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN);
        try {
            load(in, tx, rx, tails, events, rss);
        } catch (BufferUnderflowException cut) {
            throw new VfioException(Errno.EINVAL, "length=0x%x expected=more".formatted(state.length));
        }
    }

    private static void load(ByteBuffer in, TxQueue[] tx, RxQueue[] rx, Tails tails, QueueEvents events, Rss rss) throws VfioException {
        Tx[] sent = new Tx[QueuePairs.PAIRS];
        Rx[] received = new Rx[QueuePairs.PAIRS];
        for (int i = 0; i < QueuePairs.PAIRS; i++) {
            sent[i] = readTx(in);
            received[i] = readRx(in);
        }
        int[] mapping = new int[4 * QueuePairs.PAIRS];
        for (int i = 0; i < mapping.length; i++) {
            mapping[i] = in.getShort();
            check(i % 2 == 1 || mapping[i] >= -1 && mapping[i] <= MOST_VECTOR, "vector", mapping[i]);
        }
        int owed = in.getInt();
        long hena = in.getLong();
        byte[] key = new byte[Rss.KEY];
        in.get(key);
        int entries = in.get();
        check(entries > 0 && entries <= Rss.TABLE && Integer.bitCount(entries) == 1, "entries", entries);
        byte[] table = new byte[entries];
        in.get(table);
        check(!in.hasRemaining(), "surplus", in.remaining());
        for (int i = 0; i < QueuePairs.PAIRS; i++) {
            tx[i].restore(sent[i].settings, sent[i].enabled, sent[i].stopped, sent[i].head);
            tails.set(false, i, sent[i].tail);
            rx[i].restore(received[i].settings, received[i].enabled, received[i].stopped, received[i].head);
            tails.set(true, i, received[i].tail);
        }
        for (int slot = 0; slot < 2 * QueuePairs.PAIRS; slot++) {
            events.restore(slot, mapping[2 * slot], mapping[2 * slot + 1] & 0xFFFF);
        }
        events.owe(owed & (1 << 2 * QueuePairs.PAIRS) - 1);
        rss.set(key, table, hena);
    }

    private static Tx readTx(ByteBuffer in) throws VfioException {
        TxSettings settings = new TxSettings(in.getLong(), in.getInt());
        Tx queue = new Tx(settings, flag(in), reason(in), in.getShort() & 0xFFFF, in.getShort() & 0xFFFF);
        check(settings.valid() || settings.equals(TxSettings.NONE) && !queue.enabled, "length", settings.length());
        check(queue.head < Math.max(1, settings.length()), "head", queue.head);
        return queue;
    }

    private static Rx readRx(ByteBuffer in) throws VfioException {
        RxSettings settings = new RxSettings(in.getLong(), in.getInt(), in.getInt(), in.getInt(), in.get() & 0xFF, flag(in));
        Rx queue = new Rx(settings, flag(in), reason(in), in.getShort() & 0xFFFF, in.getShort() & 0xFFFF);
        check(settings.valid() || settings.equals(RxSettings.NONE) && !queue.enabled, "length", settings.length());
        check(queue.head < Math.max(1, settings.length()), "head", queue.head);
        return queue;
    }

    private static byte flag(boolean on) {
        return (byte) (on ? 1 : 0);
    }

    private static boolean flag(ByteBuffer in) throws VfioException {
        int value = in.get();
        check(value == 0 || value == 1, "flag", value);
        return value == 1;
    }

    private static StopReason reason(ByteBuffer in) throws VfioException {
        int value = in.get();
        check(value >= 0 && value < StopReason.values().length, "stopped", value);
        return StopReason.values()[value];
    }

    private static void check(boolean holds, String key, int value) throws VfioException {
        if (!holds) {
            throw new VfioException(Errno.EINVAL, "%s=0x%x expected=a state that was saved".formatted(key, value));
        }
    }
}
