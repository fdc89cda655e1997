// SPDX-License-Identifier: Apache-2.0
/// Drives physical functions of the XL710 family as `i40e` and mediates their virtual functions while it does.
///
/// Who it fits: `PfDriver` binds physical functions (`PfId`, `PfBinding`, `SriovCapability`) and publishes `I40eMediator`, which accepts
/// their virtual functions. What it does to an open one: `VfMediation`, over the registers in `VfRegister` and `MailboxRegister`. How one
/// is moved: `VfMigration`, by commands of the physical function (`VfStateCommands`, over `AdminQueue`). Which pages it writes meanwhile: a
/// `DirtyTracking`, of which there are `DeviceLog`, `DoorbellTrap`, `All` and, for experiments, `InterruptRelay`; `I40eConfig` chooses.
package mediator.i40e;
