// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

/// Of a mediator that nobody takes over from.
final class NoSuccession implements I40eMediator.Succession {
    @Override
    public void standAside() {
        throw new AssertionError("asked to stand aside");
    }

    @Override
    public void retire() {
        throw new IllegalStateException("expected=nobody to ask");
    }

    @Override
    public void standIn() {
        throw new AssertionError("asked to stand in");
    }
}
