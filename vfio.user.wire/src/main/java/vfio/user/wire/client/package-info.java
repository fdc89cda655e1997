// SPDX-License-Identifier: Apache-2.0
/// A client of a vfio-user server, this project's or another's: simple and blocking, one request at a time, with its memory served to the
/// server meanwhile. For tools, benchmarks and tests; a VMM has its own.
@Export
@Version("1.0.0")
package vfio.user.wire.client;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
