// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.api.admin.ServedStatus;
import vfio.pci.api.device.VfioPci;
import vfio.user.command.ClientLimits;
import vfio.user.loop.PollLoop;
import vfio.user.trace.Tap;

/// Serves devices over vfio-user. Goes with the core: what is served then is ended as by [#unserve].
@Component(service = {ServeAdmin.class, VfioUserServer.class}, configurationPid = "vfio.user")
@Designate(ocd = VfioUserConfig.class)
public final class VfioUserServer implements ServeAdmin {
    private static final Logger LOG = System.getLogger(VfioUserServer.class.getName());
    private static final String THREADS = "vfio-user";
    /// How long requests in flight may take when serving ends.
    private static final Duration LAST_REQUESTS = Duration.ofSeconds(5);
    /// `ComponentConstants.DEACTIVATION_REASON_REFERENCE`
    private static final int REFERENCE_UNSATISFIED = 2;
    private static final long NANOS_PER_MICRO = 1_000;

    /// How long the next request of a busy client is looked for before the thread sleeps.
    private static final Duration SPIN = Duration.ofNanos(50_000);

    private final VfioPci pci;
    private final DeviceAdmin devices;
    private final PollLoop loop;
    private final Workers workers = new Workers(THREADS + "-worker-");
    /// By address; the lock is the map.
    private final TreeMap<PciAddress, Served> served = new TreeMap<>();
    private boolean ended;
    private volatile ClientLimits limits = ClientLimits.DEFAULT;
    private volatile SocketRules rules = SocketRules.standard();

    /// Starts with nothing served.
    ///
    /// @param pci opens the devices
    /// @param devices knows which there are
    /// @throws VfioException EMFILE when the process has no descriptor left
    /// @param config says what clients may have
    @Activate
    public VfioUserServer(@Reference VfioPci pci, @Reference DeviceAdmin devices, VfioUserConfig config) throws VfioException {
        this(pci, devices);
        configure(config);
    }

    /// A server with the default limits, outside a framework.
    ///
    /// @throws VfioException EMFILE when the process has no descriptor left
    public VfioUserServer(VfioPci pci, DeviceAdmin devices) throws VfioException {
        this.pci = pci;
        this.devices = devices;
        loop = PollLoop.start(THREADS);
        setSpin(SPIN);
    }

    /// Takes a changed configuration in.
    @Modified
    void configure(VfioUserConfig config) {
        setRules(new ClientLimits(config.maxMsgFds(), config.maxDataXferSize(), config.maxDmaMaps(), config.maxDmaBytes(),
            config.faultLinesPerSecond(), Duration.ofMillis(config.requestTimeoutMillis()), Duration.ofMillis(config.dmaTimeoutMillis()),
            config.unsealedMemory(), config.regionErrors()), SocketRules.of(config));
        setSpin(Duration.ofNanos(config.spinMicros() * NANOS_PER_MICRO));
    }

    /// From now on the next request of a client that is busy, and alone so, is looked for that long before the thread sleeps. On one
    /// processor it never is, for the client needs it to send one.
    public void setSpin(Duration longest) {
        loop.setTry(Runtime.getRuntime().availableProcessors() > 1 ? longest : Duration.ZERO);
    }

    /// From now on, for what is served then.
    void setRules(ClientLimits newLimits, SocketRules newRules) {
        limits = newLimits;
        rules = newRules;
    }

    /// Ends all that is served. Where that is because the core goes, clients are told of their devices as by the core, which is late with
    /// that: it is told to stop when nobody has its services any more.
    ///
    /// @param reason why, as Declarative Services numbers it
    @Deactivate
    void deactivate(int reason) {
        deactivate(reason == REFERENCE_UNSATISFIED);
    }

    /// Ends all that is served. Waits for requests in flight, for a bounded time.
    public void deactivate() {
        deactivate(false);
    }

    private void deactivate(boolean devicesGo) {
        List<Served> all;
        synchronized (served) {
            ended = true;
            all = new ArrayList<>(served.values());
            served.clear();
        }
        end(all, devicesGo);
        boolean gone = loop.end(LAST_REQUESTS);
        gone &= workers.end(LAST_REQUESTS);
        if (!gone) {
            LOG.log(Level.WARNING, "threads of vfio-user are still inside a device and end when they leave it");
        }
    }

    /// Makes the socket.
    private interface Socket {
        SocketFile open() throws VfioException;
    }

    @Override
    public void serve(PciAddress address, Path socket) throws VfioException {
        serve(address, () -> SocketFile.listen(socket, rules));
    }

    @Override
    public void serve(PciAddress address, int descriptor) throws VfioException {
        serve(address, () -> SocketFile.inherited(descriptor));
    }

    private void serve(PciAddress address, Socket socket) throws VfioException {
        devices.device(address);
        Path path;
        synchronized (served) {
            if (ended) {
                throw new VfioException(Errno.ECANCELED, "device=%s the server has ended".formatted(address));
            }
            Served before = served.get(address);
            if (before != null) {
                throw new VfioException(Errno.EBUSY, "device=%s is served already: socket=%s".formatted(address, before.path()));
            }
            Served fresh = listen(address, socket.open());
            served.put(address, fresh);
            path = fresh.path();
        }
        LOG.log(Level.INFO, "serving device={0} socket={1}", address, path);
    }

    private Served listen(PciAddress address, SocketFile file) throws VfioException {
        boolean listening = false;
        try {
            Served fresh = new Served(address, file, rules, limits, pci, loop, workers);
            listening = loop.execute(fresh::begin);
            return fresh;
        } finally {
            if (!listening) {
                file.close();
            }
        }
    }

    @Override
    public void unserve(PciAddress address) throws VfioException {
        Served gone;
        synchronized (served) {
            gone = served.remove(address);
        }
        if (gone == null) {
            throw new VfioException(Errno.ENOENT, "device=%s is not served".formatted(address));
        }
        end(List.of(gone), false);
        LOG.log(Level.INFO, "no longer serving device={0} socket={1}", address, gone.path());
    }

    /// Where the messages of a served device can be watched.
    ///
    /// @throws VfioException ENOENT when it is not served
    public Tap tap(PciAddress address) throws VfioException {
        synchronized (served) {
            Served one = served.get(address);
            if (one == null) {
                throw new VfioException(Errno.ENOENT, "device=%s is not served; served: %s".formatted(address,
                    served.isEmpty() ? "none" : served.keySet()));
            }
            return one.tap();
        }
    }

    @Override
    public List<ServedStatus> served() {
        synchronized (served) {
            return served.values().stream().map(Served::status).toList();
        }
    }

    /// Ends all of them side by side, and waits for a bounded time.
    private void end(Collection<Served> all, boolean devicesGo) {
        for (Served one : all) {
            loop.execute(() -> one.end(devicesGo));
        }
        long deadline = System.nanoTime() + LAST_REQUESTS.toNanos();
        for (Served one : all) {
            if (!endedBy(one, deadline)) {
                LOG.log(Level.WARNING, "device={0} a request does not come back; its client is disconnected", one.address());
                loop.execute(one::abandon);
            }
        }
    }

    private static boolean endedBy(Served one, long deadline) {
        try {
            one.ended().get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException("never completed with an error", e);
        }
    }
}
