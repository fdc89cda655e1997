// SPDX-License-Identifier: Apache-2.0
/// How many frames a second go from one simulated virtual function to another, next to the least that could do it: two threads that copy
/// the same frames through a ring of slots.
package bench.frames;
