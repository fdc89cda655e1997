// SPDX-License-Identifier: Apache-2.0
/// The core: opens devices, asks the mediators, and lets every access find its way. It knows no vendor, no transport and no simulator.
///
/// Data path by package: `device` (the port an access enters by) -> `binding` (claims, mediation) through `gate` -> `region` ->
/// `config` or the function; `irq` and `dma` run the other way; `memory` is what the device owns.
package vfio.pci.core;
