// SPDX-License-Identifier: Apache-2.0
/**
 * The one place with restricted native access: Linux system calls as owned Java objects and {@code Errno} failures.
 */
@Export
@Version("1.0.0")
package linux.sys;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
