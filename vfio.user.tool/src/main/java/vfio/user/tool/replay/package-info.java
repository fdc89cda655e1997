// SPDX-License-Identifier: Apache-2.0
/// Plays the client of a trace against a server, and compares what that answers with what is in the trace.
package vfio.user.tool.replay;
