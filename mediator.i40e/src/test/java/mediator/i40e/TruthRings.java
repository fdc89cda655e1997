// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;

/// Where a guest has its rings and buffers, and what it knows of them. Buffers are given to the device in no order and come back to a pool;
/// rings move when they are described anew.
final class TruthRings {
    static final int MAILBOX_DESCRIPTOR = 32;
    static final long ATQ = 0x1000;
    static final long ARQ = 0x3000;
    static final long ATQ_BUFFERS = 0x1_0000;
    static final long ARQ_BUFFERS = 0x4_0000;
    /// Twice as many as there are descriptors.
    static final long ARQ_BUFFERS_END = 0x8_0000;
    /// Places of 8 KiB for receive rings.
    static final long RECEIVE = 0x8_0000;
    static final long RECEIVE_END = 0x8_8000;
    /// Places of 4 KiB for transmit rings.
    static final long TRANSMIT = 0x9_0000;
    static final long TRANSMIT_END = 0x9_4000;
    static final long FRAMES = 0xA_0000;
    static final long BUFFERS = 0x10_0000;
    static final int BUFFER = 0x800;

    private static final int PLACES = 4;
    private static final long DD = 1;
    private static final long DONE = 0xF;
    private static final long EOP = 0x10;
    private static final long RS = 0x20;
    private static final int MESSAGE = 0x1000;

    private final TruthMemory memory;
    private final RandomGenerator random;
    private final List<Long> pool = new ArrayList<>();
    private final List<Long> messagePool = new ArrayList<>();
    private final long[] messages = new long[TruthGuest.MAILBOX];
    private long[] posted = new long[0];
    private long receive = RECEIVE;
    private long transmit = TRANSMIT;
    private int transmitLength;
    private boolean[] reports = new boolean[0];
    private int receiveNext;
    private int receiveClean;
    private int transmitNext;
    private int transmitClean;
    private long frames;

    TruthRings(TruthMemory memory, RandomGenerator random) {
        this.memory = memory;
        this.random = random;
        for (long at = BUFFERS; at < TruthMemory.SIZE; at += BUFFER) {
            // Some go across two pages.
            pool.add(at + 128L * random.nextInt(2) <= TruthMemory.SIZE - BUFFER ? at + 128L * random.nextInt(2) : at);
        }
        for (long at = ARQ_BUFFERS; at < ARQ_BUFFERS_END; at += MESSAGE) {
            messagePool.add(at);
        }
        Collections.shuffle(pool, new java.util.Random(random.nextLong()));
        for (int i = 0; i < messages.length; i++) {
            messages[i] = messagePool.removeLast();
        }
    }

    long messageBuffer(int index) {
        return messages[index];
    }

    void changeMessageBuffer(int index) {
        messagePool.addFirst(messages[index]);
        messages[index] = messagePool.remove(random.nextInt(messagePool.size()));
    }

    /// New rings, empty, in other places: the device may have the ones before still. Their buffers are left to it.
    void choose(int receiveLength, int newTransmitLength) {
        receive = another(receive, RECEIVE, RECEIVE_END);
        transmit = another(transmit, TRANSMIT, TRANSMIT_END);
        transmitLength = newTransmitLength;
        posted = new long[receiveLength];
        reports = new boolean[newTransmitLength];
        clear();
    }

    private long another(long than, long from, long to) {
        long size = (to - from) / PLACES;
        return from + (than - from + size * (1 + random.nextInt(PLACES - 1))) % (to - from);
    }

    private void clear() {
        memory.bytes(receive, new byte[posted.length * 32]);
        memory.bytes(transmit, new byte[transmitLength * 16]);
        receiveNext = 0;
        receiveClean = 0;
        transmitNext = 0;
        transmitClean = 0;
    }

    /// The device has let go of everything.
    void takeBack() {
        while (receiveClean != receiveNext) {
            pool.add(posted[receiveClean]);
            receiveClean = (receiveClean + 1) % posted.length;
        }
        clear();
    }

    /// `struct virtchnl_vsi_queue_config_info` for one pair.
    byte[] description(int vsi) {
        ByteBuffer out = ByteBuffer.allocate(72 + 64).order(ByteOrder.LITTLE_ENDIAN);
        out.putShort(0, (short) vsi).putShort(2, (short) 1);
        out.putShort(8, (short) vsi).putShort(12, (short) transmitLength).putLong(16, TruthMemory.IOVA + transmit);
        out.putShort(32, (short) vsi).putInt(36, posted.length).putInt(44, BUFFER).putInt(48, 9728).putLong(56, TruthMemory.IOVA + receive);
        return out.array();
    }

    int receiveTail() {
        return receiveNext;
    }

    int transmitTail() {
        return transmitNext;
    }

    /// Puts buffers into free descriptors.
    ///
    /// @return whether there were any
    boolean post(int most) {
        int done = 0;
        while (posted.length > 0 && done < most && (receiveNext + 1) % posted.length != receiveClean && !pool.isEmpty()) {
            long buffer = pool.remove(random.nextInt(Math.min(8, pool.size())));
            posted[receiveNext] = buffer;
            long at = receive + receiveNext * 32L;
            memory.u64(at, TruthMemory.IOVA + buffer);
            memory.u64(at + 8, 0);
            memory.u64(at + 16, 0);
            memory.u64(at + 24, 0);
            receiveNext = (receiveNext + 1) % posted.length;
            done++;
        }
        return done > 0;
    }

    /// Takes back what the device has filled.
    ///
    /// @return how many descriptors
    int takeFrames() {
        int taken = 0;
        while (receiveClean != receiveNext && (memory.memory().get(TruthMemory.U64, receive + receiveClean * 32L + 8) & DD) != 0) {
            pool.add(posted[receiveClean]);
            receiveClean = (receiveClean + 1) % posted.length;
            taken++;
        }
        return taken;
    }

    /// Buffers the device has.
    int outstanding() {
        return posted.length == 0 ? 0 : RingPlace.distance(receiveClean, receiveNext, posted.length);
    }

    /// Frames that it has not reported as sent.
    int unsent() {
        return transmitLength == 0 ? 0 : RingPlace.distance(transmitClean, transmitNext, transmitLength);
    }

    /// Takes back what was sent.
    void clean() {
        int at = transmitClean;
        while (at != transmitNext) {
            boolean done = (memory.memory().get(TruthMemory.U64, transmit + at * 16L + 8) & DONE) == DONE;
            if (reports[at] && !done) {
                return;
            }
            boolean reported = reports[at];
            at = (at + 1) % transmitLength;
            if (reported) {
                transmitClean = at;
            }
        }
    }

    /// Adds frames to send, each with bytes that no other has.
    ///
    /// @return whether there was room
    boolean addFrames(int count, byte[] to, byte[] from) {
        int added = 0;
        while (added < count && transmitLength > 0 && (transmitNext + 1) % transmitLength != transmitClean) {
            int length = 60 + random.nextInt(BUFFER - 60);
            long buffer = FRAMES + transmitNext * (long) BUFFER;
            fill(buffer, length, to, from);
            boolean last = added == count - 1 || (transmitNext + 2) % transmitLength == transmitClean;
            reports[transmitNext] = last || random.nextInt(4) == 0;
            long at = transmit + transmitNext * 16L;
            memory.u64(at, TruthMemory.IOVA + buffer);
            memory.u64(at + 8, 0x40L | EOP | (reports[transmitNext] ? RS : 0) | (long) length << 34);
            transmitNext = (transmitNext + 1) % transmitLength;
            added++;
        }
        return added > 0;
    }

    private void fill(long buffer, int length, byte[] to, byte[] from) {
        memory.bytes(buffer, to);
        memory.bytes(buffer + 6, from);
        memory.u16(buffer + 12, 0xB588);
        MemorySegment ram = memory.memory();
        long number = ++frames;
        for (int at = 14; at + Long.BYTES <= length; at += Long.BYTES) {
            ram.set(TruthMemory.U64, buffer + at, number << 16 | at);
            memory.u64(buffer + at, number << 16 | at);
        }
    }
}
