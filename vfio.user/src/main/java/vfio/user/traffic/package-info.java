// SPDX-License-Identifier: Apache-2.0
/// Counts what passes over a served device's socket, by command, with the time it took. Written by the thread that has the connection's
/// turn, in plain memory that is there from the start; read by whoever asks.
package vfio.user.traffic;
