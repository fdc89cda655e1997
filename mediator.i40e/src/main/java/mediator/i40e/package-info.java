// SPDX-License-Identifier: Apache-2.0
/// Drives physical functions of the XL710 family as `i40e` and mediates their virtual functions while it does.
///
/// Who it fits: `PfDriver` binds physical functions (`PfId`, `PfBinding`, `SriovCapability`) and publishes `I40eMediator`, which accepts
/// their virtual functions. What it does to an open one: `VfMediation`, over the registers in `VfRegister`. How one is moved:
/// `VfMigration`, by `VfStateCommands` over `AdminQueue`; which pages it writes meanwhile is found out by a `DirtyTracking`.
package mediator.i40e;
