// SPDX-License-Identifier: Apache-2.0
/// The connection between the two sides of a move: bytes in order over a UNIX socket or over TLS, none of which is waited for longer than
/// one was told to.
@Export
@Version("1.0.0")
package vmm.channel;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
