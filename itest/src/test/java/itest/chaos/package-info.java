// SPDX-License-Identifier: Apache-2.0
/// Clients access devices that count what is done to them, while the mediators and whatever else has a life of its own come and go, at
/// random but by a seed.
package itest.chaos;
