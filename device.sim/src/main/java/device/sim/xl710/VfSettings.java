// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.queue.QueuePairs;
import device.sim.xl710.virtchnl.Identity;
import device.sim.xl710.virtchnl.LinkSpeed;
import java.util.Set;

/// What is said of a card's virtual functions.
///
/// @param queuePairs most that each may have
/// @param speed of their links
/// @param firstAddress hardware address of the first; the others follow
/// @param trappedDoorbells those whose pages with tails may not be mapped
record VfSettings(int queuePairs, LinkSpeed speed, long firstAddress, Set<Integer> trappedDoorbells) {
    /// Every function knows its VSI by this number, so that a driver can go on on another one.
    private static final int VSI = 1;

    VfSettings {
        trappedDoorbells = Set.copyOf(trappedDoorbells);
    }

    /// Of a card about whose functions nothing is said: locally administered addresses that name the card's place.
    static VfSettings standard(int routingId) {
        return new VfSettings(QueuePairs.PAIRS, LinkSpeed.SPEED_40GB, 0x0200_0000_0000L | (long) routingId << 8, Set.of());
    }

    /// Whether the pages with a function's tails may be mapped.
    boolean mappedDoorbells(int index) {
        return !trappedDoorbells.contains(index);
    }

    Identity identity() {
        return new Identity(VSI, queuePairs, VfFunction.MSIX_VECTORS, speed);
    }
}
