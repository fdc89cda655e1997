// SPDX-License-Identifier: Apache-2.0
/// Interrupts on their way from function or mediation to whoever the client named. In the data path: `function -> IrqTable -> trigger
/// (an eventfd, or code in this process)`.
package vfio.pci.core.irq;
