// SPDX-License-Identifier: Apache-2.0
/// What travels between the two sides of a move: frames with number, length and checksum, and what is in them.
package vmm.stream;
