// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;

/// What passed over the socket of a served device since serving began, of all its clients together.
///
/// @param requests messages that were taken up
/// @param errors those that failed, whether they had an answer or not
/// @param timedOut requests answered ETIMEDOUT because the device did not come back in time
/// @param lateResults results of the device that came after that and were discarded
/// @param lost messages that were received and neither carried out nor answered, for their client had gone or the server ended
/// @param doorbells rings of an eventfd that were carried out
/// @param commands those that were asked at all, by number
public record ServedTraffic(long requests, long errors, long timedOut, long lateResults, long lost, long doorbells,
        List<CommandTraffic> commands) {
    /// Nothing happened yet.
    public static final ServedTraffic ZERO = new ServedTraffic(0, 0, 0, 0, 0, 0, List.of());

    /// Copies the list.
    public ServedTraffic {
        commands = List.copyOf(commands);
    }
}
