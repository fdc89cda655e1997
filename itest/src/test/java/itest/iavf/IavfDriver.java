// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.VfioException;
import vfio.user.wire.client.VfioUserClient;

/**
 * Drives a virtual function of an XL710: {@link #probe} finds it, {@link #start} opens its queues, {@link #recover} brings it back after a
 * reset. It does the steps of {@code iavf} in Linux, or of DPDK's, as its {@link Sequence} says.
 *
 * <p>For one thread at a time; with {@linkplain Doorbells#MAPPED mapped doorbells} each ring may be used by a thread of its own.
 */
public final class IavfDriver implements AutoCloseable {
    private static final Duration RESET_SEEN = Duration.ofSeconds(30);
    private static final Duration RESET_DONE = Duration.ofSeconds(30);

    private VfioUserClient client;
    private final DriverOptions options;
    private PciConfig config;
    private final Bar0 bar;
    private final AdminQueue queue;
    private final Virtchnl virtchnl;
    private final List<QueuePair> pairs = new ArrayList<>();
    private final Configuration configuration;
    private Optional<Vectors> vectors = Optional.empty();
    private VfResources resources;
    private boolean running;
    private boolean linkUp;
    private int linkSpeed;
    private boolean resetImpending;

    private IavfDriver(VfioUserClient client, GuestMemory guest, DriverOptions options) throws VfioException {
        this.client = client;
        this.options = options;
        config = new PciConfig(client);
        bar = Bar0.open(client, options.doorbells());
        queue = new AdminQueue(bar, guest);
        virtchnl = new Virtchnl(queue, this::happened);
        configuration = new Configuration(bar, virtchnl, options);
        for (int i = 0; i < options.queuePairs(); i++) {
            pairs.add(new QueuePair(i,
                new TxRing(guest, bar.doorbell(IavfRegister.QTX_TAIL1, i), options.ringLength(), options.bufferSize()),
                new RxRing(guest, bar.doorbell(IavfRegister.QRX_TAIL1, i), i, options.ringLength(), options.bufferSize())));
        }
    }

    /**
     * Finds the function and asks what it has. The memory is mapped by this.
     *
     * @param client lent until the driver is closed
     * @param guest lent until the client is closed; the rings' places in it are not given back
     */
    public static IavfDriver probe(VfioUserClient client, GuestMemory guest, DriverOptions options) throws VfioException {
        guest.map(client);
        var driver = new IavfDriver(client, guest, options);
        boolean found = false;
        try {
            driver.find();
            found = true;
            return driver;
        } finally {
            if (!found) {
                driver.close();
            }
        }
    }

    private void find() throws VfioException {
        config.checkIdentity();
        config.enable();
        awaitResetDone(true);
        queue.start();
        AqMessage version = virtchnl.request(Op.VERSION, Messages.version());
        if (version.bytes().length != 8 || version.payload().getInt(0) != 1 || version.payload().getInt(4) > 1) {
            throw new IavfException("version %s expected=1.0 or 1.1", version);
        }
        askResources();
        if (options.interrupts()) {
            vectors = Optional.of(Vectors.enable(client, bar, Math.min(resources.maxVectors(), pairs.size() + 1)));
            virtchnl.use(vectors.get());
        }
    }

    private void askResources() throws VfioException {
        int wanted = options.sequence().wanted();
        resources = VfResources.decode(virtchnl.request(Op.GET_VF_RESOURCES, Messages.wantedCapabilities(wanted)));
        if ((resources.capabilities() & ~wanted) != 0 || !resources.has(Capability.L2)) {
            throw new IavfException("vf_cap_flags=0x%x expected=some of 0x%x, L2 among them", resources.capabilities(), wanted);
        }
        while (pairs.size() > resources.queuePairs()) {
            pairs.removeLast();
        }
    }

    private void awaitResetDone(boolean completedWillDo) throws VfioException {
        var wait = new Wait(RESET_DONE);
        while (true) {
            int status = bar.read(IavfRegister.VFGEN_RSTAT) & IavfRegister.RSTAT_MASK;
            if (status == IavfRegister.RSTAT_VFACTIVE || completedWillDo && status == IavfRegister.RSTAT_COMPLETED) {
                return;
            }
            wait.nap("VFGEN_RSTAT is 2, it is %d".formatted(status));
        }
    }

    /** Has another device, which holds the state of this one, fire the interrupts from now on. */
    public void attachInterrupts(VfioUserClient there) throws VfioException {
        if (vectors.isPresent()) {
            vectors.get().attach(there);
        }
    }

    /** Goes on with another device, which holds the state of this one, and a copy of the memory. */
    public void attach(VfioUserClient there, GuestMemory memory) throws VfioException {
        bar.attach(there);
        client = there;
        config = new PciConfig(there);
        queue.attach(memory);
        for (QueuePair pair : pairs) {
            pair.tx().attach(memory, bar.doorbell(IavfRegister.QTX_TAIL1, pair.index()));
            pair.rx().attach(memory, bar.doorbell(IavfRegister.QRX_TAIL1, pair.index()));
        }
    }

    /** Opens the queues; the link is there when {@link #awaitLink} returns. */
    public void start() throws VfioException {
        for (QueuePair pair : pairs) {
            pair.tx().clear();
            pair.rx().clear();
        }
        linkUp = false;
        configuration.open(resources, pairs);
        running = true;
        if (vectors.isPresent()) {
            for (int vector = 1; vector < vectors.get().count(); vector++) {
                vectors.get().enable(vector);
            }
        } else if (resources.has(Capability.WB_ON_ITR)) {
            for (QueuePair pair : pairs) {
                bar.write(IavfRegister.VFINT_DYN_CTLN1, pair.index(), IavfRegister.DYN_WB_ON_ITR | IavfRegister.DYN_ITR_NONE);
            }
        }
    }

    /** Closes the queues: when this returns the device uses no ring and no buffer any more. */
    public void stop() throws VfioException {
        running = false;
        linkUp = false;
        configuration.close(resources, pairs);
    }

    /** Returns when the PF has said that the link is up. */
    public void awaitLink(Duration longest) throws VfioException {
        awaitLink(true, longest);
    }

    /** Returns when the PF has said that the link is so. */
    public void awaitLink(boolean up, Duration longest) throws VfioException {
        var wait = new Wait(longest);
        poll();
        while (linkUp != up) {
            wait.nap(up ? "the link is up" : "the link is down");
            poll();
        }
    }

    /** Takes what the PF has said. */
    public void poll() throws VfioException {
        virtchnl.poll();
    }

    private void happened(PfEvent event) {
        switch (event) {
            // Linux honours the link when it runs and its queues are enabled, and forgets what was said before.
            case PfEvent.LinkChange link -> {
                linkUp = link.up() && running;
                linkSpeed = link.speed();
            }
            case PfEvent.ResetImpending _ -> resetImpending = true;
            case PfEvent.PfDriverClose _ -> linkUp = false;
        }
    }

    /** Whether the function was reset since {@link #probe} or {@link #recover}: its mailbox is disabled. */
    public boolean resetSeen() throws VfioException {
        return !queue.enabled();
    }

    /** Whether the PF has announced a reset. */
    public boolean resetImpending() {
        return resetImpending;
    }

    /** Has the PF reset the function; {@link #recover} is to follow. */
    public void reset() throws VfioException {
        queue.shutdown();
        queue.start();
        virtchnl.post(Op.RESET_VF, new Payload());
    }

    /** Asks for another number of queue pairs; the PF grants it by a reset, which {@link #recover} is to follow. */
    public void requestQueues(int number) throws VfioException {
        virtchnl.post(Op.REQUEST_QUEUES, new Payload().u16(number));
        var wait = new Wait(RESET_SEEN);
        poll();
        // A driver that is slow to look may see the reset before its announcement.
        while (!resetImpending && !resetSeen()) {
            wait.nap("the PF announces a reset, for %d queue pairs".formatted(number));
            poll();
        }
    }

    /** After a reset, whoever did it: waits for its end, and opens the queues again if they were. */
    public void recover() throws VfioException {
        var wait = new Wait(RESET_SEEN);
        while (queue.enabled()) {
            wait.nap("the mailbox is disabled by the reset");
        }
        awaitResetDone(false);
        config.enable();
        queue.shutdown();
        resetImpending = false;
        linkUp = false;
        queue.start();
        askResources();
        if (running) {
            start();
        }
    }

    /** What the function has. */
    public VfResources resources() {
        return resources;
    }

    /** Its address, as the PF said. */
    public MacAddress mac() {
        return resources.mac();
    }

    /** Whether the PF has said that the link is up. */
    public boolean linkUp() {
        return linkUp;
    }

    /** What the PF said of it: Mbit/s with ADV_LINK_SPEED. */
    public int linkSpeed() {
        return linkSpeed;
    }

    /** The rings. */
    public List<QueuePair> pairs() {
        return List.copyOf(pairs);
    }

    /** One of the rings. */
    public QueuePair pair(int index) {
        return pairs.get(index);
    }

    /** The registers. */
    public Bar0 bar() {
        return bar;
    }

    /** Requests that this class has no method for. */
    public Virtchnl virtchnl() {
        return virtchnl;
    }

    /** The interrupts, if it waits for them. */
    public Optional<Vectors> vectors() {
        return vectors;
    }

    /** What the function has counted. */
    public VfStats stats() throws VfioException {
        return VfStats.decode(virtchnl.request(Op.GET_STATS, Messages.queues(resources.vsiId(), 0, 0)));
    }

    /** Takes frames to that address too. */
    public void addAddress(MacAddress address) throws VfioException {
        virtchnl.request(Op.ADD_ETH_ADDR, Messages.address(resources.vsiId(), address, false));
    }

    /** Takes no more frames to that address. */
    public void removeAddress(MacAddress address) throws VfioException {
        virtchnl.request(Op.DEL_ETH_ADDR, Messages.address(resources.vsiId(), address, false));
    }

    /** Takes frames to whomever, or not. */
    public void promiscuous(boolean unicast, boolean multicast) throws VfioException {
        virtchnl.request(Op.CONFIG_PROMISCUOUS_MODE, Messages.promiscuous(resources.vsiId(), unicast, multicast));
    }

    /** Says which queue each of the hash's low bits goes to. */
    public void spread(byte[] lut) throws VfioException {
        configuration.spread(resources, lut);
    }

    /** Lets go of the registers and interrupts; the client stays. Nothing is said to the device. */
    @Override
    public void close() {
        vectors.ifPresent(Vectors::close);
        bar.close();
    }
}
