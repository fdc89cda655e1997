// SPDX-License-Identifier: Apache-2.0
/// Mediates Intel integrated graphics devices, as the sample of the mediate-ops proposal does: it shows how trapping of a part of BAR 0 is
/// switched while the device runs, and leaves every access to the device.
///
/// `IgdMediator` says whom it fits, `IgdMediation` is what it does to one open device, `IgdArea` what of BAR 0 it has to do with.
package mediator.igd;
