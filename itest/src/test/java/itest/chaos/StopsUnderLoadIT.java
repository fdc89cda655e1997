// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;

import itest.Await;
import itest.SimulatedNic;
import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Chaotic;
import itest.mediators.Setting;
import itest.wire.Held;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.api.device.VfioPci;

/**
 * The core, the server and the simulator stop, are updated and refreshed while clients have several requests on their way: what was done
 * was answered and what was answered was done, clients are told and come back, others are not disturbed, and nothing is left.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class StopsUnderLoadIT {
    private static final int IN_PROCESS = 4;
    private static final long SOME = 500;

    @Inject
    private BundleContext context;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final ChaoticDevice inProcess = new ChaoticDevice(this::presentCore, 0, new Incarnations());
    private final CountedFunction overSocket = new CountedFunction(ChaoticDevice.address(1));
    private final List<ClientThread> threads = new ArrayList<>();
    private final List<ServiceRegistration<?>> functions = new ArrayList<>();
    private Held before;

    /** What is done to a bundle. */
    private interface Stop {
        void of(Bundle bundle) throws Exception;
    }

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), ChaosIT.patience(), core(), simulatedNic(), vfioUser()};
    }

    @Before
    public void begin() throws Exception {
        SimulatedNic.await(await(DeviceAdmin.class));
        await(ServeAdmin.class);
        before = Held.now();
        mediators.start(MediatorBundle.of(Chaotic.class).named("m").answering(Chaotic.TAGS));
        functions.add(inProcess.function().publish(context));
        functions.add(overSocket.publish(context));
        var random = new SplittableRandom(1);
        for (int i = 0; i < IN_PROCESS; i++) {
            ClientThread thread = new ClientThread(inProcess, i, random.split());
            threads.add(thread);
            thread.start();
        }
    }

    @After
    public void nothingIsLeft() throws Exception {
        threads.forEach(ClientThread::end);
        for (ClientThread thread : threads) {
            assertThat(thread.verdict(System.nanoTime() + ChaosIT.PATIENCE.toNanos())).isEmpty();
        }
        functions.forEach(ServiceRegistration::unregister);
        assertThat(inProcess.function().faults()).isEmpty();
        assertThat(overSocket.faults()).isEmpty();
        assertThat(mediators.number(Setting.LATE, "m")).hasValue(0);
        assertThat(mediators.number(Setting.CLOSED, "m")).hasValue(mediators.number(Chaotic.MADE, "m").get());
        Held.awaitNoMoreThan(before);
    }

    // ---- the core

    @Test
    public void coreStopped() throws Exception {
        coreGoes(core -> {
            core.stop();
            core.start();
        });
    }

    @Test
    public void coreUpdated() throws Exception {
        BundleLoader loader = new BundleLoader("core", bundle("vfio.pci.core"));
        coreGoes(Bundle::update);
        endInProcess();
        Leaks.requireCollected(List.of(loader));
    }

    @Test
    public void coreRefreshed() throws Exception {
        BundleLoader loader = new BundleLoader("core", bundle("vfio.pci.core"));
        coreGoes(core -> Refresh.of(context, core));
        endInProcess();
        Leaks.requireCollected(List.of(loader));
    }

    private void coreGoes(Stop stop) throws Exception {
        SocketThread client = serve();
        awaitProgress(client);
        stop.of(bundle("vfio.pci.core"));
        assertThat(client.toldOfError()).as("told of an error").isTrue();
        assertThat(client.verdict()).isEmpty();
        awaitProgress();
        Await.until("each has opened it again", ChaosIT.PATIENCE, () -> inProcess.reopenings() >= IN_PROCESS);
        goesOnOverSocket();
    }

    private void endInProcess() throws InterruptedException {
        threads.forEach(ClientThread::end);
        for (ClientThread thread : threads) {
            assertThat(thread.verdict(System.nanoTime() + ChaosIT.PATIENCE.toNanos())).isEmpty();
        }
        threads.clear();
    }

    // ---- the server

    @Test
    public void serverStopped() throws Exception {
        serverGoes(server -> {
            server.stop();
            server.start();
        });
    }

    @Test
    public void serverUpdated() throws Exception {
        BundleLoader loader = new BundleLoader("server", bundle("vfio.user"));
        serverGoes(Bundle::update);
        Leaks.requireCollected(List.of(loader));
    }

    private void serverGoes(Stop stop) throws Exception {
        SocketThread client = serve();
        awaitProgress(client);
        stop.of(bundle("vfio.user"));
        assertThat(client.verdict()).isEmpty();
        awaitProgress();
        goesOnOverSocket();
        assertThat(inProcess.reopenings()).as("opened again").isZero();
    }

    // ---- the simulator

    @Test
    public void simulatorStopped() throws Exception {
        SocketThread other = serve();
        Path socket = folder.getRoot().toPath().resolve("vf.sock");
        await(ServeAdmin.class).serve(SimulatedNic.VF1, socket);
        try {
            StatusReader client = new StatusReader(socket);
            Await.until("the function answers", ChaosIT.PATIENCE, () -> client.answers() >= SOME);
            Bundle simulator = bundle("device.sim");
            simulator.stop();
            assertThat(client.toldOfError()).as("told of an error").isTrue();
            assertThat(client.verdict()).isEmpty();
            awaitProgress(other);
            simulator.start();
            SimulatedNic.await(await(DeviceAdmin.class));
            StatusReader again = new StatusReader(socket);
            Await.until("the function answers again", ChaosIT.PATIENCE, () -> again.answers() >= SOME);
            await(ServeAdmin.class).unserve(SimulatedNic.VF1);
            assertThat(again.verdict()).isEmpty();
        } finally {
            end(other);
        }
        assertThat(other.refused()).isZero();
        assertThat(inProcess.reopenings()).as("opened again").isZero();
    }

    // ---- what they have in common

    private Path socket() {
        return folder.getRoot().toPath().resolve("counted.sock");
    }

    private SocketThread serve() throws Exception {
        await(ServeAdmin.class).serve(overSocket.address(), socket());
        return new SocketThread(overSocket, IN_PROCESS, socket());
    }

    private void goesOnOverSocket() throws Exception {
        SocketThread again = serve();
        awaitProgress(again);
        end(again);
        assertThat(again.refused()).isZero();
    }

    private void end(SocketThread client) throws Exception {
        client.end();
        assertThat(client.verdict()).isEmpty();
        await(ServeAdmin.class).unserve(overSocket.address());
    }

    private void awaitProgress(SocketThread... clients) throws Exception {
        long enough = inProcess.answers() + SOME;
        long[] targets = Arrays.stream(clients).mapToLong(client -> client.answers() + SOME).toArray();
        Await.until("clients are answered", ChaosIT.PATIENCE, () -> {
            boolean all = inProcess.answers() >= enough;
            for (int i = 0; i < targets.length; i++) {
                all &= clients[i].answers() >= targets[i];
            }
            return all;
        });
    }

    private Bundle bundle(String symbolicName) {
        return Arrays.stream(context.getBundles()).filter(one -> symbolicName.equals(one.getSymbolicName())).findFirst().orElseThrow();
    }

    /** Looked up anew each time: what was injected may have gone. */
    private <S> Optional<S> look(Class<S> type) {
        ServiceReference<S> reference = context.getServiceReference(type);
        return reference == null ? Optional.empty() : Optional.ofNullable(context.getService(reference));
    }

    private VfioPci presentCore() throws VfioException {
        return look(VfioPci.class).orElseThrow(() -> new VfioException(Errno.ENODEV, "core=gone"));
    }

    private <S> S await(Class<S> type) throws Exception {
        Await.until(type.getSimpleName() + " is there", ChaosIT.PATIENCE, () -> look(type).isPresent());
        return look(type).orElseThrow();
    }
}
