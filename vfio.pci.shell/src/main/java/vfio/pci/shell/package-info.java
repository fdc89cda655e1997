// SPDX-License-Identifier: Apache-2.0
/**
 * What an administrator types: Gogo commands of scope {@code vfio} over the contracts of the API.
 */
package vfio.pci.shell;
