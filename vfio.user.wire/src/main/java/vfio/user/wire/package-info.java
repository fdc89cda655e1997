// SPDX-License-Identifier: Apache-2.0
/**
 * Messages of the vfio-user protocol as they stand on the wire, and the client side of the conversation.
 */
@Export
@Version("1.0.0")
package vfio.user.wire;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
