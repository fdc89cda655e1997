// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.Await;
import itest.bundles.InstalledMediators;
import itest.mediators.Chaotic;
import itest.mediators.Setting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.VfioPci;

/** Sixteen devices with eight client threads each, mediators for them, and who disturbs both; and what was wrong in the end. */
final class Chaos {
    private static final int DEVICES = 16;
    private static final int SLOTS = 6;
    private static final long ROUNDS_BETWEEN = 500;

    private final ChaosSettings settings;
    private final BundleContext context;
    private final Incarnations incarnations = new Incarnations();
    private final List<BundleLoader> loaders = new ArrayList<>();
    private final List<MediatorSlot> slots = new ArrayList<>();
    private final List<ChaoticDevice> devices = new ArrayList<>();
    private final List<ClientThread> clients = new ArrayList<>();
    private final List<ServiceRegistration<?>> functions = new ArrayList<>();
    private final BundleDisturber bundles;
    private final DeviceDisturber exchanges;
    private final List<String> faults = new ArrayList<>();

    /**
     * What came of it.
     *
     * @param faults all that was wrong
     * @param late calls of mediators that had gone, which are among the faults
     * @param loaders class loaders that mediators had, whose bundles are uninstalled
     * @param summary for people
     */
    record Verdict(List<String> faults, long late, List<BundleLoader> loaders, String summary) {
    }

    Chaos(ChaosSettings settings, BundleContext context, VfioPci vfio, DeviceAdmin admin, InstalledMediators mediators) {
        this.settings = settings;
        this.context = context;
        var random = new SplittableRandom(settings.seed());
        for (int i = 0; i < SLOTS; i++) {
            slots.add(new MediatorSlot(context, mediators, incarnations, loaders, i));
        }
        for (int i = 0; i < DEVICES; i++) {
            devices.add(new ChaoticDevice(() -> vfio, i, incarnations));
        }
        for (ChaoticDevice device : devices) {
            for (int thread = 0; thread < Chaotic.THREADS; thread++) {
                clients.add(new ClientThread(device, thread, random.split()));
            }
        }
        bundles = new BundleDisturber(admin, slots, devices.subList(0, DEVICES / 2), random.split(), settings.stayMillis());
        exchanges = new DeviceDisturber(admin, slots, devices.subList(DEVICES / 2, DEVICES), random.split());
    }

    /** All of it; afterwards nothing of it is there any more. */
    Verdict run() throws Exception {
        for (ChaoticDevice device : devices) {
            functions.add(device.function().publish(context));
        }
        for (ClientThread client : clients) {
            client.start();
        }
        exchanges.start();
        long begin = System.nanoTime();
        note(() -> {
            while (!isEnough(begin)) {
                bundles.disturb();
                awaitRounds();
            }
        });
        note(bundles::end);
        Duration lasted = Duration.ofNanos(System.nanoTime() - begin);
        end();
        return verdict(lasted);
    }

    private interface Step {
        void run() throws Exception;
    }

    /** What fails is told in the end, when all has ended. */
    private void note(Step step) {
        try {
            step.run();
        } catch (Exception | AssertionError e) { // checkstyle: allow IllegalCatch: it is among the faults
            faults.add(e.toString());
        }
    }

    private boolean isEnough(long begin) {
        return System.nanoTime() - begin >= settings.lasts().toNanos()
            && List.of(Disturbance.values()).stream().allMatch(one -> bundles.done().getOrDefault(one, 0) >= settings.times());
    }

    private long rounds() {
        return clients.stream().mapToLong(ClientThread::rounds).sum();
    }

    /** Fails when somebody has failed. */
    private void awaitRounds() throws Exception {
        long enough = rounds() + ROUNDS_BETWEEN;
        Await.until(ROUNDS_BETWEEN + " more accesses", ChaosIT.PATIENCE, () -> {
            if (!exchanges.isWell() || !clients.stream().allMatch(ClientThread::isWell)) {
                throw new AssertionError("somebody has failed");
            }
            return rounds() >= enough;
        });
    }

    private void end() throws Exception {
        exchanges.end().ifPresent(faults::add);
        clients.forEach(ClientThread::end);
        long deadline = System.nanoTime() + ChaosIT.PATIENCE.toNanos();
        for (ClientThread client : clients) {
            client.verdict(deadline).ifPresent(faults::add);
        }
        for (MediatorSlot slot : slots) {
            if (!slot.isEmpty()) {
                slot.uninstall();
            }
        }
        functions.forEach(ServiceRegistration::unregister);
        for (ChaoticDevice device : devices) {
            faults.addAll(device.function().faults());
            Optional<String> driver = device.function().driver();
            driver.ifPresent(name -> faults.add(device.address() + " is bound to " + name + " still"));
        }
        slots.forEach(slot -> faults.addAll(slot.faults()));
    }

    private Verdict verdict(Duration lasted) {
        String summary = "chaos seed=%d: %d accesses in %d s, %d with a mediator's mark, %d devices opened again; %s; %s; %d class loaders"
            .formatted(settings.seed(), devices.stream().mapToLong(ChaoticDevice::answers).sum(), lasted.toSeconds(),
                devices.stream().mapToLong(ChaoticDevice::mediated).sum(), devices.stream().mapToLong(ChaoticDevice::reopenings).sum(),
                bundles.done(), exchanges.done(), loaders.size());
        return new Verdict(List.copyOf(faults), slots.stream().mapToLong(slot -> slot.number(Setting.LATE)).sum(), List.copyOf(loaders),
            summary);
    }
}
