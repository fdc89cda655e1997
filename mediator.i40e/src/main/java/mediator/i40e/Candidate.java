// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;

/// A physical function that the driver would have, from the day it appears to the day it goes.
///
/// Binding fires service events, and those come back here on the same thread or on others: nothing is locked meanwhile, one thread binds at
/// a time, and who comes in between has it tried again.
final class Candidate {
    private static final Logger LOG = System.getLogger(Candidate.class.getName());

    private enum State { FREE, BINDING, AGAIN, BOUND, ASIDE, GONE }

    private final PciFunction function;
    private State state = State.FREE;
    private Optional<PfBinding> binding = Optional.empty();

    Candidate(PciFunction function) {
        this.function = function;
    }

    /// Binds the function if it can be had.
    ///
    /// @return the binding, once
    Optional<PfBinding> tryBind() {
        if (!begin()) {
            return Optional.empty();
        }
        do {
            try {
                PfBinding bound = PfBinding.bind(function);
                if (keep(bound)) {
                    return Optional.of(bound);
                }
                bound.close();
                return Optional.empty();
            } catch (VfioException e) {
                LOG.log(Level.INFO, "{0}: not driven: {1}", function.address(), e.getMessage());
            }
        } while (!giveUp());
        return Optional.empty();
    }

    /// Whether the binding is still in force.
    synchronized boolean holds(PfBinding candidate) {
        return binding.isPresent() && binding.get() == candidate;
    }

    /// The function goes, or the driver does.
    ///
    /// @return what is to be closed
    synchronized Optional<PfBinding> end() {
        state = State.GONE;
        Optional<PfBinding> last = binding;
        binding = Optional.empty();
        return last;
    }

    /// Another driver is to have the function: it is not tried for until [#standIn()].
    ///
    /// @return what is to be closed
    synchronized Optional<PfBinding> standAside() {
        if (state != State.BOUND) {
            return Optional.empty();
        }
        state = State.ASIDE;
        Optional<PfBinding> last = binding;
        binding = Optional.empty();
        return last;
    }

    /// The function may be tried for again.
    ///
    /// @return whether it was not to be
    synchronized boolean standIn() {
        boolean aside = state == State.ASIDE;
        if (aside) {
            state = State.FREE;
        }
        return aside;
    }

    private synchronized boolean begin() {
        if (state == State.FREE) {
            state = State.BINDING;
            return true;
        }
        if (state == State.BINDING) {
            state = State.AGAIN;
        }
        return false;
    }

    private synchronized boolean keep(PfBinding bound) {
        if (state == State.GONE) {
            return false;
        }
        state = State.BOUND;
        binding = Optional.of(bound);
        return true;
    }

    /// Whether it is to be left for now, and not to be tried again because somebody asked meanwhile.
    private synchronized boolean giveUp() {
        if (state == State.AGAIN) {
            state = State.BINDING;
            return false;
        }
        if (state == State.BINDING) {
            state = State.FREE;
        }
        return true;
    }
}
