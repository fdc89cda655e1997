// SPDX-License-Identifier: Apache-2.0
/// Which bundles there are beside those the runtime began with: mediators that are loaded because a device is opened, jars that are dropped
/// into a folder, and changes that a person plans and carries out.
///
/// The component here is what others see ([Provisioning]); `repository` and `jar` read what could be installed, `match` says what of it
/// fits a device, `bundles` changes the framework, and `demand`, `dropin` and `plan` are the three occasions to do so. Nothing here is on
/// the path of an access.
package vfio.pci.provision;
