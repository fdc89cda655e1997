// SPDX-License-Identifier: Apache-2.0
/// Who mediates what: the mediators in the order they are asked, and the mediation of one open device with its claims and its context.
///
/// In the data path: `port -> Interest -> gate -> Binding -> Mediation`.
package vfio.pci.core.binding;
