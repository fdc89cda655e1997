// SPDX-License-Identifier: Apache-2.0
/// Messages of the vfio-user protocol as they stand on the wire: one `...Layout` per C structure, the numbers of commands and flags, the
/// list of region capabilities, and the capabilities of the VERSION message.
///
/// Sources: QEMU's `docs/interop/vfio-user.rst` (protocol 0.0), libvfio-user's `include/vfio-user.h` for what goes beyond it, and Linux's
/// `include/uapi/linux/vfio.h` for the structures the protocol borrows. Fields are named as there. Everything is in the byte order of the
/// host and may be unaligned.
///
/// In the data path this stands between the socket and `vfio.user`; the client in `vfio.user.wire.client` is the other end. Nothing here
/// trusts what it decodes further than the memory it was handed: sizes and offsets are checked by `decode` where the structure has them.
@Export
@Version("1.0.0")
package vfio.user.wire;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
