// SPDX-License-Identifier: Apache-2.0
/// What mediators say they fit, and which of several is the one for a device.
package vfio.pci.provision.match;
