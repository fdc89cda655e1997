// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import device.sim.wire.Ethernet;
import device.sim.wire.Port;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A packet from its descriptors to the port: checks what hardware checks, gathers the buffers, applies the offloads.
///
/// A packet that breaks the rules stops its queue (a malicious driver event); one whose memory cannot be read, or whose headers do not fit
/// the offloads asked for, is dropped with an error counted. Confined to the engine's thread.
final class Transmission {
    /// Most buffers of a packet, or of a segment of one.
    static final int MOST_BUFFERS = 8;
    /// Most buffers of a packet that is cut into segments.
    static final int MOST_SEGMENTED_BUFFERS = 512;
    /// Shortest packet that hardware pads.
    static final int SHORTEST = 17;
    private static final int LEAST_SEGMENT = 64;
    private static final int MOST_SEGMENT = 9668;
    private static final int MOST_HEADER = 0x7F * 2 + 0x7F * 4 + 0xF * 4;
    private static final int MOST_SEGMENTED = 0x3FFFF + MOST_HEADER;
    /// Room before the frame, for a tag.
    private static final int ROOM = 64;

    private final Port port;
    private final GuestMemory memory;
    private final Statistics statistics;
    private final long[] addresses = new long[MOST_SEGMENTED_BUFFERS];
    private final int[] ends = new int[MOST_SEGMENTED_BUFFERS];
    private final int[] reports = new int[MOST_SEGMENTED_BUFFERS];
    private final Offloads offloads = new Offloads();
    private final MemorySegment template = Arena.ofAuto().allocate(MOST_HEADER, 8);
    private MemorySegment packet = Arena.ofAuto().allocate(ROOM + Ethernet.LONGEST, 64);
    private int buffers;
    private int reporting;
    private int length;
    private boolean hasContext;
    private boolean complete;
    private long context0;
    private long context1;
    private long first;

    Transmission(Port port, GuestMemory memory, Statistics statistics) {
        this.port = port;
        this.memory = memory;
        this.statistics = statistics;
    }

    /// Forgets the packet before.
    void begin() {
        buffers = 0;
        reporting = 0;
        length = 0;
        hasContext = false;
        complete = false;
        context0 = 0;
        context1 = 0;
    }

    /// Whether the end of the packet was added.
    boolean complete() {
        return complete;
    }

    /// How many of the packet's descriptors are to be written back.
    int reports() {
        return reporting;
    }

    /// Position of a descriptor that is to be written back.
    int report(int i) {
        return reports[i];
    }

    /// Adds a descriptor.
    ///
    /// @return why the queue is to be stopped
    StopReason add(long qw0, long qw1, int position) {
        return switch (TxDescriptor.type(qw1)) {
            case TxDescriptor.DTYPE_DATA -> addData(qw0, qw1, position);
            case TxDescriptor.DTYPE_CONTEXT -> addContext(qw0, qw1);
            default -> StopReason.BAD_DESCRIPTOR_TYPE;
        };
    }

    private StopReason addContext(long qw0, long qw1) {
        if (hasContext || buffers > 0) {
            return StopReason.BAD_CONTEXT;
        }
        hasContext = true;
        context0 = qw0;
        context1 = qw1;
        return StopReason.NONE;
    }

    private StopReason addData(long address, long qw1, int position) {
        int size = TxDescriptor.bufferSize(qw1);
        if (size == 0) {
            return StopReason.EMPTY_BUFFER;
        }
        if (buffers == (segmented() ? MOST_SEGMENTED_BUFFERS : MOST_BUFFERS)) {
            return StopReason.TOO_MANY_BUFFERS;
        }
        if (buffers == 0) {
            first = qw1;
        }
        length += size;
        if (length > (segmented() ? MOST_SEGMENTED : Ethernet.LONGEST)) {
            return StopReason.BAD_PACKET_LENGTH;
        }
        addresses[buffers] = address;
        ends[buffers] = length;
        buffers++;
        int command = TxDescriptor.command(qw1);
        if ((command & TxDescriptor.RS) != 0) {
            reports[reporting++] = position;
        }
        complete = (command & TxDescriptor.EOP) != 0;
        return StopReason.NONE;
    }

    private boolean segmented() {
        return (TxDescriptor.contextCommand(context1) & TxDescriptor.CONTEXT_TSO) != 0;
    }

    /// Sends the packet.
    ///
    /// @return why the queue is to be stopped
    StopReason send() {
        if (length < SHORTEST) {
            return StopReason.BAD_PACKET_LENGTH;
        }
        offloads.take(first);
        if (!segmented()) {
            sendWhole();
            return StopReason.NONE;
        }
        int header = offloads.headerLength();
        int segmentSize = TxDescriptor.segmentSize(context1);
        int payload = TxDescriptor.segmentationLength(context1);
        if (!offloads.segmentable() || segmentSize < LEAST_SEGMENT || segmentSize > MOST_SEGMENT
            || header + Math.min(segmentSize, payload) > Ethernet.LONGEST || payload == 0 || header + payload != length) {
            return StopReason.BAD_SEGMENTATION;
        }
        if (!buffersFit(header, segmentSize)) {
            return StopReason.TOO_MANY_BUFFERS;
        }
        if (gather()) {
            sendSegments(header, segmentSize);
        } else {
            statistics.transmitFailed();
        }
        return StopReason.NONE;
    }

    /// Whether no segment needs more buffers than hardware takes for one, counting those of the header. A buffer with the end of the header
    /// and the start of the payload may count twice here, so there is one more to have.
    private boolean buffersFit(int header, int segmentSize) {
        int headerBuffers = 1;
        while (ends[headerBuffers - 1] < header) {
            headerBuffers++;
        }
        int buffer = ends[headerBuffers - 1] == header ? headerBuffers : headerBuffers - 1;
        for (int start = header; start < length; start += segmentSize) {
            int end = Math.min(start + segmentSize, length);
            while (ends[buffer] <= start) {
                buffer++;
            }
            int last = buffer;
            while (ends[last] < end) {
                last++;
            }
            if (headerBuffers + last - buffer + 1 > MOST_BUFFERS + 1) {
                return false;
            }
        }
        return true;
    }

    private boolean gather() {
        if (packet.byteSize() < ROOM + length) {
            packet = Arena.ofAuto().allocate(ROOM + MOST_SEGMENTED, 64);
        }
        int start = 0;
        for (int i = 0; i < buffers; i++) {
            if (!memory.read(addresses[i], packet, ROOM + start, ends[i] - start)) {
                return false;
            }
            start = ends[i];
        }
        return true;
    }

    private void sendWhole() {
        if (!gather() || !offloads.apply(packet, ROOM, length)) {
            statistics.transmitFailed();
            return;
        }
        transmit(ROOM, length);
    }

    /// Each segment is made in place: the headers are put right before its payload, over the segment that was sent before.
    private void sendSegments(int header, int segmentSize) {
        if (!offloads.beginSegments(packet, ROOM, length)) {
            statistics.transmitFailed();
            return;
        }
        MemorySegment.copy(packet, ROOM, template, 0, header);
        int sent = 0;
        for (int start = header; start < length; start += segmentSize) {
            int payload = Math.min(segmentSize, length - start);
            long frame = ROOM + start - header;
            MemorySegment.copy(template, 0, packet, frame, header);
            offloads.segment(packet, frame, payload, sent, start + payload == length);
            sent += payload;
            transmit(frame, header + payload);
        }
    }

    /// Pads and sends. Behind a frame that needs it is nothing that is still to be sent: only the last segment can be so short.
    private void transmit(long frame, int bytes) {
        for (int i = bytes; i < Ethernet.SHORTEST; i++) {
            packet.set(ValueLayout.JAVA_BYTE, frame + i, (byte) 0);
        }
        int frameLength = Math.max(bytes, Ethernet.SHORTEST);
        long destination = Ethernet.destination(packet, frame);
        if (port.transmit(packet, frame, frameLength, tag())) {
            statistics.transmitted(destination, frameLength);
        } else {
            statistics.transmitDiscarded();
        }
    }

    private int tag() {
        if (!port.insert()) {
            return Ethernet.UNTAGGED;
        }
        if ((TxDescriptor.command(first) & TxDescriptor.IL2TAG1) != 0) {
            return TxDescriptor.tag1(first);
        }
        return (TxDescriptor.contextCommand(context1) & TxDescriptor.CONTEXT_IL2TAG2) != 0 ? TxDescriptor.tag2(context0)
            : Ethernet.UNTAGGED;
    }
}
