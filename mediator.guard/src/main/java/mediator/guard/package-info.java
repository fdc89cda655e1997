// SPDX-License-Identifier: Apache-2.0
/// Guards devices of any vendor by declared rules: accesses of registers are denied, limited in rate or logged, what no rule names passes.
///
/// `GuardMediator` is one configuration with its service, `GuardConfig` and `RuleSyntax` read it, `GuardMediation` holds its rules over one
/// open device, `GuardedPages` takes pages out of what a client may map because a rule would not see them there.
package mediator.guard;
