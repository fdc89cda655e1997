// SPDX-License-Identifier: Apache-2.0
/// Jars before they are bundles: what their manifests say, and whether they are what they should be. A jar is copied first, and only the
/// copy is checked and installed, so that nobody can change it in between.
package vfio.pci.provision.jar;
