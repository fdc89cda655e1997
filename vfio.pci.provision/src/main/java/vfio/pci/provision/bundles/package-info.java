// SPDX-License-Identifier: Apache-2.0
/// Changes of the framework's bundles, and what depends on what: the one place that installs, updates, uninstalls and refreshes.
package vfio.pci.provision.bundles;
