// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

/// One command of a served device, as often as its clients asked it. Times are in nanoseconds, from when a request is taken up until its
/// answer is given to the system, the device's own time included; a percentile is up to 6 % above the truth.
///
/// @param command its name, `OTHER` for all that are none
/// @param requests so far
/// @param errors those that failed
/// @param p50 half of them took no longer
/// @param p99 nor did 99 %
/// @param p999 nor did 99.9 %
/// @param max the longest
public record CommandTraffic(String command, long requests, long errors, long p50, long p99, long p999, long max) {
}
