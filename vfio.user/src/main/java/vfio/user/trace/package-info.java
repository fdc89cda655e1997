// SPDX-License-Identifier: Apache-2.0
/// Watching a served device's messages while it is used. A connection shows each message to its [vfio.user.trace.Tap], which passes it by
/// unless somebody watches; what is watched goes through a bounded queue, so that a slow reader costs messages and never time.
package vfio.user.trace;
