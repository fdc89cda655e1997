// SPDX-License-Identifier: Apache-2.0
/// Asks a server for all it offers, and changes nothing there but for the one connection it takes.
package vfio.user.tool.probe;
