// SPDX-License-Identifier: Apache-2.0
/// The folder into which jars are dropped. Felix's FileInstall watches it, and hands every jar to this package: mediators become bundles,
/// and nothing else does. Its own way with jars would refresh, after an update or a removal, whatever is wired to them, without saying so.
package vfio.pci.provision.dropin;
