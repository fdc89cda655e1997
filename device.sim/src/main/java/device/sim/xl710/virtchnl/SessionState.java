// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

/// What a virtual function and its driver agreed on.
///
/// @param minor of the protocol's version 1
/// @param capabilities that were granted
/// @param resourcesGiven whether the driver knows what it has
/// @param queuePairs how many it has
/// @param requestedPairs how many it has after the next reset
public record SessionState(int minor, int capabilities, boolean resourcesGiven, int queuePairs, int requestedPairs) {
    /// The same, with nothing in it that could not have been agreed on.
    ///
    /// @param mostPairs as many queue pairs as there are
    public SessionState checked(int mostPairs) {
        return new SessionState(Math.clamp(minor, 0, 1), capabilities & Capability.OFFERED, resourcesGiven,
            Math.clamp(queuePairs, 1, mostPairs), Math.clamp(requestedPairs, 1, mostPairs));
    }

    static SessionState initial(int queuePairs) {
        return new SessionState(1, 0, false, queuePairs, queuePairs);
    }

    SessionState withMinor(int agreed) {
        return new SessionState(agreed, capabilities, resourcesGiven, queuePairs, requestedPairs);
    }

    SessionState withResources(int granted) {
        return new SessionState(minor, granted, true, queuePairs, requestedPairs);
    }

    SessionState withRequestedPairs(int pairs) {
        return new SessionState(minor, capabilities, resourcesGiven, queuePairs, pairs);
    }
}
