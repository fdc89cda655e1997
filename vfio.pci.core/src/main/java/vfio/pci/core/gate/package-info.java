// SPDX-License-Identifier: Apache-2.0
/// Makes "gone means gone" true: who is inside a mediation, and how to wait until nobody is.
///
/// In the data path it stands between the claim test and the mediation. Accesses use the slot of their port ([vfio.pci.core.gate.Gate]);
/// the rare calls that have no port (infos, state changes, reset) use a counted one ([vfio.pci.core.gate.Calls]).
package vfio.pci.core.gate;
