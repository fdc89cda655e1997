// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What becomes of an open device when its mediator goes.
public enum MediatorPolicy {
    /// It goes on without one.
    PASS_THROUGH,
    /// Its accesses wait for another mediator that accepts it, for a bounded time; then it goes on without one.
    FREEZE,
    /// Its clients are told and lose it.
    DETACH,
    /// `vfio:unload` refuses to stop the mediator; one that goes all the same is as with [#PASS_THROUGH].
    REFUSE;

    /// As people write it: `pass-through`.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// The one that people write so.
    public static Optional<MediatorPolicy> of(String text) {
        return Arrays.stream(values()).filter(policy -> policy.toString().equals(text)).findFirst();
    }
}
