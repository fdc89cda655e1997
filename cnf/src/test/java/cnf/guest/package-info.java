// SPDX-License-Identifier: Apache-2.0
/**
 * Tests with a real guest: the distribution serves simulated devices, QEMU's own vfio-user client attaches them to a Linux guest, and both
 * sides tell what they see.
 */
package cnf.guest;
