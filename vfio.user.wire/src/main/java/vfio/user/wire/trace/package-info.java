// SPDX-License-Identifier: Apache-2.0
/// Messages of a connection as they were seen by its server: a record of each, the file that keeps them, and the line that tells a person
/// what one says.
///
/// The file, version 1, all numbers little-endian. A head of 24 bytes: the text `VFUTRACE`, u16 version, u16 0, u32 0, i64 start of the
/// trace in nanoseconds since 1970. Then records: u32 bytes of the record after this number; i64 nanoseconds since the start; u8 kind, 0 a
/// message from the client, 1 a message from the server, 2 messages that were dropped before this place; u8 number of descriptors; u16 0;
/// for each descriptor u8 kind (0 unknown, 1 eventfd, 2 file), 7 bytes 0, u64 size of the file; and the rest: the message as it was, in the
/// byte order of its host, or the number dropped as u64. A reader refuses another version, and passes over records of another kind.
@Export
@Version("1.0.0")
package vfio.user.wire.trace;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
