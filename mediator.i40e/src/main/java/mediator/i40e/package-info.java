// SPDX-License-Identifier: Apache-2.0
/// Drives physical functions of the XL710 family as `i40e` and mediates their virtual functions while it does.
///
/// Who it fits: `PfDriver` binds physical functions (`PfId`, `PfBinding`, `SriovCapability`) and publishes `I40eMediator`, which accepts
/// their virtual functions. What it does to an open one: `VfMediation`, over the registers in `VfRegister`. How one is moved:
/// `VfMigration`, by `VfStateCommands` over `AdminQueue`; what is seen of its tails meanwhile is in `TailTracking`.
package mediator.i40e;
