// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// Why a queue was stopped until it is disabled and enabled again.
public enum StopReason {
    /// It was not.
    NONE,
    /// A tail beyond the ring.
    BAD_TAIL,
    /// A descriptor type that does not exist or does not belong there.
    BAD_DESCRIPTOR_TYPE,
    /// A context descriptor within a packet, or two before it.
    BAD_CONTEXT,
    /// A data descriptor without data.
    EMPTY_BUFFER,
    /// More buffers than a packet, or a segment of one, may have.
    TOO_MANY_BUFFERS,
    /// All of the ring without an end of packet.
    NO_END_OF_PACKET,
    /// A packet shorter than 17 or longer than 9728 bytes.
    BAD_PACKET_LENGTH,
    /// Segmentation with a segment size, header or length that is out of bounds.
    BAD_SEGMENTATION,
    /// The ring could not be read or written.
    RING_UNREACHABLE
}
