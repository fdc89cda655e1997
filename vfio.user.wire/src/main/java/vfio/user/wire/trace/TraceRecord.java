// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.trace;

import java.util.List;

/// One thing that was seen.
///
/// @param nanos since the trace began
/// @param kind what it is
/// @param fds descriptors that came or went along
/// @param bytes the whole message; of [Kind#DROPPED] the number as u64, little-endian
public record TraceRecord(long nanos, Kind kind, List<Descriptor> fds, byte[] bytes) {
    /// Kinds, in the order of their numbers.
    public enum Kind {
        /// A message from the client.
        RECEIVED,
        /// A message from the server.
        SENT,
        /// So many messages are missing here.
        DROPPED
    }

    /// What a descriptor is of.
    ///
    /// @param type what it is of
    /// @param size of the file; 0 for others
    public record Descriptor(Type type, long size) {
        /// Types, in the order of their numbers.
        public enum Type {
            /// Something else, a socket perhaps.
            UNKNOWN,
            /// An eventfd.
            EVENTFD,
            /// A file, of memory perhaps.
            FILE
        }
    }
}
