// SPDX-License-Identifier: Apache-2.0
/// Guards devices of any vendor by declared rules: accesses of registers and DMA windows are denied, limited in rate or logged, what no
/// rule names passes.
///
/// `GuardMediator` is one configuration with its service, `GuardConfig` and `RuleSyntax` read it. `GuardMediation` is the guard of one open
/// device, `RuleSet` the rules it goes by at a time, `GuardedPages` what a client may not map because a rule would not see it there.
package mediator.guard;
