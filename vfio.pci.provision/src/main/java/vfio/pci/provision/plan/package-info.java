// SPDX-License-Identifier: Apache-2.0
/// Changes that a person plans first: what would happen to which bundle and which device, and then exactly that.
package vfio.pci.provision.plan;
