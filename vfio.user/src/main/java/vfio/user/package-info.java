// SPDX-License-Identifier: Apache-2.0
/**
 * The server side of vfio-user: turns messages of a virtual machine into calls on its device.
 */
package vfio.user;
