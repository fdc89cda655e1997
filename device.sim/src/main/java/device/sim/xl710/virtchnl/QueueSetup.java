// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

import device.sim.xl710.queue.QueuePairs;
import device.sim.xl710.queue.RxSettings;
import device.sim.xl710.queue.TxSettings;

/// The messages that set up, map, start and stop queues. A message is looked through whole before it has any effect.
final class QueueSetup {
    private static final int LIST = 8;
    private static final int PAIR = 64;
    private static final int RX = 24;
    private static final int MAPS = 2;
    private static final int MAP = 12;

    private final Identity identity;
    private final QueuePairs queues;

    QueueSetup(Identity identity, QueuePairs queues) {
        this.identity = identity;
        this.queues = queues;
    }

    /// CONFIG_VSI_QUEUES (`struct virtchnl_vsi_queue_config_info`).
    ///
    /// @param pairs how many queue pairs the driver has
    Status configure(Request request, int pairs) {
        int count = request.u16(2);
        if (request.u16(0) != identity.vsi() || count > pairs || !request.holds(LIST, count, PAIR)) {
            return Status.ERR_PARAM;
        }
        int seen = 0;
        for (int i = 0; i < count; i++) {
            int at = LIST + i * PAIR;
            int queue = request.u16(at + 2);
            if (request.u16(at) != identity.vsi() || request.u16(at + RX) != identity.vsi() || request.u16(at + RX + 2) != queue
                || queue >= pairs || (seen & 1 << queue) != 0 || !transmit(request, at).valid() || !receive(request, at + RX).valid()) {
                return Status.ERR_PARAM;
            }
            seen |= 1 << queue;
        }
        // A ring is not exchanged under a queue that runs.
        queues.disable(seen, seen);
        for (int i = 0; i < count; i++) {
            int at = LIST + i * PAIR;
            queues.configureTx(request.u16(at + 2), transmit(request, at));
            queues.configureRx(request.u16(at + 2), receive(request, at + RX));
        }
        return Status.SUCCESS;
    }

    /// `struct virtchnl_txq_info`. Head write-back is not offered, and its fields are not looked at.
    private static TxSettings transmit(Request request, int at) {
        return new TxSettings(request.u64(at + 8), request.u16(at + 4));
    }

    /// `struct virtchnl_rxq_info`. The frame check sequence and the descriptor's format can be chosen only with capabilities that are not
    /// offered.
    private static RxSettings receive(Request request, int at) {
        return new RxSettings(request.u64(at + 24), request.u32(at + 4), request.u32(at + 12), request.u32(at + 16), 0, false);
    }

    /// CONFIG_IRQ_MAP (`struct virtchnl_irq_map_info`).
    ///
    /// @param pairs how many queue pairs the driver has
    Status map(Request request, int pairs) {
        int count = request.u16(0);
        if (count > identity.vectors() || !request.holds(MAPS, count, MAP)) {
            return Status.ERR_PARAM;
        }
        for (int i = 0; i < count; i++) {
            int at = MAPS + i * MAP;
            if (request.u16(at) != identity.vsi() || request.u16(at + 2) >= identity.vectors()
                || (request.u16(at + 4) | request.u16(at + 6)) >>> pairs != 0) {
                return Status.ERR_PARAM;
            }
        }
        for (int i = 0; i < count; i++) {
            int at = MAPS + i * MAP;
            map(request.u16(at + 4), true, request.u16(at + 2), request.u16(at + 8));
            map(request.u16(at + 6), false, request.u16(at + 2), request.u16(at + 10));
        }
        return Status.SUCCESS;
    }

    private void map(int bits, boolean receive, int vector, int interval) {
        for (int left = bits; left != 0; left &= left - 1) {
            queues.map(Integer.numberOfTrailingZeros(left), receive, vector, interval & 3);
        }
    }

    /// ENABLE_QUEUES (`struct virtchnl_queue_select`).
    Status enable(Request request, int pairs) {
        return selects(request, pairs) && queues.enable(request.u32(4), request.u32(8)) ? Status.SUCCESS : Status.ERR_PARAM;
    }

    /// DISABLE_QUEUES; the queues use no memory any more when it is answered.
    Status disable(Request request, int pairs) {
        if (!selects(request, pairs)) {
            return Status.ERR_PARAM;
        }
        queues.disable(request.u32(4), request.u32(8));
        return Status.SUCCESS;
    }

    private boolean selects(Request request, int pairs) {
        int all = request.u32(4) | request.u32(8);
        return request.u16(0) == identity.vsi() && all != 0 && all >>> pairs == 0;
    }
}
