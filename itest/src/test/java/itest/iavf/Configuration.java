// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.VfioException;

/** The steps that open and close queues, in the order of one driver or the other. For one thread. */
final class Configuration {
    private static final int ITR_RX = 0;
    private static final int ITR_TX = 1;
    private static final int DPDK_INTERVAL = 2;

    private final Bar0 bar;
    private final Virtchnl virtchnl;
    private final DriverOptions options;

    Configuration(Bar0 bar, Virtchnl virtchnl, DriverOptions options) {
        this.bar = bar;
        this.virtchnl = virtchnl;
        this.options = options;
    }

    void open(VfResources resources, List<QueuePair> pairs) throws VfioException {
        switch (options.sequence()) {
            case LINUX -> openAsLinux(resources, pairs);
            case DPDK -> openAsDpdk(resources, pairs);
        }
    }

    private void openAsLinux(VfResources resources, List<QueuePair> pairs) throws VfioException {
        int vsi = resources.vsiId();
        virtchnl.request(Op.CONFIG_IRQ_MAP, Messages.irqMap(vsi, vectorsOfPairs(resources, pairs, true)));
        configureRss(resources, pairs.size());
        for (QueuePair pair : pairs) {
            pair.rx().open();
        }
        virtchnl.request(Op.ADD_ETH_ADDR, Messages.address(vsi, resources.mac(), true));
        virtchnl.request(Op.CONFIG_VSI_QUEUES, Messages.vsiQueues(vsi, pairs, options.maxFrame()));
        int all = all(pairs);
        virtchnl.request(Op.ENABLE_QUEUES, Messages.queues(vsi, all, all));
    }

    private void openAsDpdk(VfResources resources, List<QueuePair> pairs) throws VfioException {
        int vsi = resources.vsiId();
        configureRss(resources, pairs.size());
        virtchnl.request(Op.CONFIG_VSI_QUEUES, Messages.vsiQueues(vsi, pairs, options.maxFrame()));
        virtchnl.request(Op.CONFIG_IRQ_MAP, Messages.irqMap(vsi, dpdkVectors(resources, pairs)));
        virtchnl.request(Op.ADD_ETH_ADDR, Messages.address(vsi, resources.mac(), true));
        for (QueuePair pair : pairs) {
            pair.tx().zeroTail();
            virtchnl.request(Op.ENABLE_QUEUES, Messages.queues(vsi, 0, 1 << pair.index()));
            pair.rx().open();
            virtchnl.request(Op.ENABLE_QUEUES, Messages.queues(vsi, 1 << pair.index(), 0));
        }
    }

    private List<Messages.VectorMap> dpdkVectors(VfResources resources, List<QueuePair> pairs) throws VfioException {
        if (options.interrupts()) {
            return vectorsOfPairs(resources, pairs, false);
        }
        int vector = resources.has(Capability.WB_ON_ITR) ? 1 : 0;
        int interval = DPDK_INTERVAL << IavfRegister.DYN_INTERVAL_SHIFT;
        if (vector == 0) {
            bar.write(IavfRegister.VFINT_DYN_CTL01, IavfRegister.DYN_INTENA | interval);
        } else {
            bar.write(IavfRegister.VFINT_DYN_CTLN1, vector - 1, IavfRegister.DYN_WB_ON_ITR | interval);
        }
        return List.of(new Messages.VectorMap(vector, all(pairs), 0, ITR_RX, ITR_RX));
    }

    /** A vector for each pair, from 1 on; pairs share where there are too few. */
    private static List<Messages.VectorMap> vectorsOfPairs(VfResources resources, List<QueuePair> pairs, boolean tx) {
        int vectors = Math.min(resources.maxVectors() - 1, pairs.size());
        List<Messages.VectorMap> maps = new ArrayList<>();
        for (int vector = 0; vector < vectors; vector++) {
            int queues = 0;
            for (int pair = vector; pair < pairs.size(); pair += vectors) {
                queues |= 1 << pair;
            }
            maps.add(new Messages.VectorMap(vector + 1, queues, tx ? queues : 0, ITR_RX, tx ? ITR_TX : ITR_RX));
        }
        return maps;
    }

    private static int all(List<QueuePair> pairs) {
        return (1 << pairs.size()) - 1;
    }

    void close(VfResources resources, List<QueuePair> pairs) throws VfioException {
        int vsi = resources.vsiId();
        int all = all(pairs);
        switch (options.sequence()) {
            case LINUX -> virtchnl.request(Op.DISABLE_QUEUES, Messages.queues(vsi, all, all));
            case DPDK -> {
                for (QueuePair pair : pairs) {
                    virtchnl.request(Op.DISABLE_QUEUES, Messages.queues(vsi, 0, 1 << pair.index()));
                    virtchnl.request(Op.DISABLE_QUEUES, Messages.queues(vsi, 1 << pair.index(), 0));
                }
            }
        }
        virtchnl.request(Op.DEL_ETH_ADDR, Messages.address(vsi, resources.mac(), true));
    }

    private void configureRss(VfResources resources, int queues) throws VfioException {
        byte[] lut = new byte[resources.rssLutSize()];
        for (int i = 0; i < lut.length; i++) {
            lut[i] = (byte) (i % queues);
        }
        byte[] key = Toeplitz.key();
        if (resources.rssKeySize() != key.length) {
            throw new IavfException("rss_key_size=0x%x expected=0x%x", resources.rssKeySize(), key.length);
        }
        if (byMessages(resources)) {
            virtchnl.request(Op.CONFIG_RSS_KEY, Messages.rssKey(resources.vsiId(), key));
            spread(resources, lut);
            long types = virtchnl.request(Op.GET_RSS_HENA_CAPS, new Payload()).payload().getLong();
            virtchnl.request(Op.SET_RSS_HENA, new Payload().u64(types));
        } else {
            writeWords(IavfRegister.VFQF_HKEY, key);
            spread(resources, lut);
            bar.write(IavfRegister.VFQF_HENA, 0, -1);
            bar.write(IavfRegister.VFQF_HENA, 1, -1);
        }
    }

    /** Linux writes registers when it is granted them, or nothing. */
    private static boolean byMessages(VfResources resources) {
        return resources.has(Capability.RSS_PF) && !resources.has(Capability.RSS_REG);
    }

    void spread(VfResources resources, byte[] lut) throws VfioException {
        if (lut.length != resources.rssLutSize()) {
            throw new IllegalArgumentException("lut=0x%x expected=0x%x".formatted(lut.length, resources.rssLutSize()));
        }
        if (byMessages(resources)) {
            virtchnl.request(Op.CONFIG_RSS_LUT, Messages.rssLut(resources.vsiId(), lut));
        } else {
            writeWords(IavfRegister.VFQF_HLUT, lut);
        }
    }

    private void writeWords(IavfRegister first, byte[] bytes) throws VfioException {
        MemorySegment words = MemorySegment.ofArray(bytes);
        for (int i = 0; i < bytes.length / Integer.BYTES; i++) {
            bar.write(first, i, words.get(Le.U32, (long) i * Integer.BYTES));
        }
    }
}
