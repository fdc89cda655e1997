// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

/// What a virtual function is given.
///
/// @param vsi number of its only VSI
/// @param queuePairs most it may have
/// @param vectors how many its MSI-X table has, the mailbox's included
/// @param speed of its link
public record Identity(int vsi, int queuePairs, int vectors, LinkSpeed speed) {
}
