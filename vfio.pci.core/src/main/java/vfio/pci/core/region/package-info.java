// SPDX-License-Identifier: Apache-2.0
/// The regions of an open device: what an access reaches when no mediation wants it, or when that passes it through.
///
/// In the data path: `verdict PASS_THROUGH -> Region -> PciFunction`. Regions 0 to 8 are the function's; from 9 on they are the proposal's
/// default regions, which the core parses, and those a mediation added.
package vfio.pci.core.region;
