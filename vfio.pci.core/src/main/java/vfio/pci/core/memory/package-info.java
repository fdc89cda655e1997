// SPDX-License-Identifier: Apache-2.0
/// Memory the open device owns and lends to the function, the mediation and the client's maps, so that it outlives all three.
package vfio.pci.core.memory;
