// SPDX-License-Identifier: Apache-2.0
/// Where mediators that are not installed can be found: a folder of jars, or an index of a repository (OSGi Compendium 8, 132.5). What is
/// read is kept until the files change.
package vfio.pci.provision.repository;
