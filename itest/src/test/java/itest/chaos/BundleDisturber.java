// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.Await;
import itest.mediators.Chaotic;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.osgi.framework.BundleException;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.admin.MediatorPolicy;

/**
 * Has the bundles of mediators come and go. Nobody else disturbs its devices but by what is done to bundles, so that it knows of each what
 * must be: whether its mediator can be unloaded, and whether an access may pass by the mediators. What it does follows from the random
 * numbers alone.
 */
final class BundleDisturber {
    private static final int VISITED = 2;

    private final DeviceAdmin admin;
    private final List<MediatorSlot> slots;
    private final List<ChaoticDevice> devices;
    private final SplittableRandom random;
    private final int stayMillis;
    private final Set<ChaoticDevice> frozen = new HashSet<>();
    private final Set<ChaoticDevice> refusing = new HashSet<>();
    private final Map<Disturbance, Integer> done = new EnumMap<>(Disturbance.class);

    BundleDisturber(DeviceAdmin admin, List<MediatorSlot> slots, List<ChaoticDevice> devices, SplittableRandom random, int stayMillis) {
        this.admin = admin;
        this.slots = slots;
        this.devices = devices;
        this.random = random;
        this.stayMillis = stayMillis;
    }

    /** How often each thing was done. */
    Map<Disturbance, Integer> done() {
        return done;
    }

    /** Does one of the things that can be done now. */
    void disturb() throws Exception {
        disturb(Disturbance.any(random));
    }

    /** Does this, where something is as it takes. */
    void disturb(Disturbance what) throws Exception {
        switch (what) {
            case INSTALL -> on(what, MediatorSlot::isEmpty, slot -> slot.install(anything()));
            case START -> on(what, MediatorSlot::isStopped, MediatorSlot::start);
            case STOP -> on(what, MediatorSlot::isActive, MediatorSlot::stop);
            case UPDATE -> on(what, slot -> !slot.isEmpty(), slot -> slot.update(anything()));
            case REFRESH -> on(what, slot -> !slot.isEmpty(), MediatorSlot::refresh);
            case UNINSTALL -> on(what, slot -> !slot.isEmpty(), MediatorSlot::uninstall);
            case SWAP -> on(what, MediatorSlot::isActive, this::swap);
            case POLICY -> {
                policy(devices.get(random.nextInt(devices.size())));
                done.merge(what, 1, Integer::sum);
            }
            case UNLOAD -> on(what, MediatorSlot::isActive, this::unload);
            case STOP_WITH_VISITORS -> on(what, slot -> !slot.isEmpty(), this::stopWithVisitors);
        }
        settle();
    }

    /** Lets everything go on: no device waits for a mediator. */
    void end() throws Exception {
        for (ChaoticDevice device : devices) {
            policy(device, MediatorPolicy.PASS_THROUGH);
        }
        someActive();
    }

    private interface Step {
        void on(MediatorSlot slot) throws Exception;
    }

    private void on(Disturbance what, Predicate<MediatorSlot> fits, Step step) throws Exception {
        Optional<MediatorSlot> slot = any(fits);
        if (slot.isPresent()) {
            step.on(slot.get());
            done.merge(what, 1, Integer::sum);
        }
    }

    private Optional<MediatorSlot> any(Predicate<MediatorSlot> fits) {
        List<MediatorSlot> all = slots.stream().filter(fits).toList();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
    }

    private int anything() {
        return random.nextInt(Chaotic.STAYS_UNTIL_STOPPED) + random.nextInt(10) * Chaotic.STAY;
    }

    private MediatorSlot someActive() throws BundleException {
        Optional<MediatorSlot> active = any(MediatorSlot::isActive);
        if (active.isPresent()) {
            return active.get();
        }
        MediatorSlot slot = slots.get(random.nextInt(slots.size()));
        if (slot.isEmpty()) {
            slot.install(anything());
        } else {
            slot.start();
        }
        return slot;
    }

    // ---- what must be

    /** Nobody but this changes who mediates these devices, and nobody waits but by a policy of this. */
    private void settle() throws Exception {
        for (ChaoticDevice device : devices) {
            boolean waits = frozen.contains(device);
            if (mediator(device).isEmpty() && (waits || random.nextBoolean())) {
                if (waits && device.guarded() == 0) {
                    throw new AssertionError(device.address() + " is not guarded");
                }
                rebind(device, someActive());
            }
        }
    }

    private Optional<String> mediator(ChaoticDevice device) throws VfioException {
        return admin.device(device.address()).mediator();
    }

    private void rebind(ChaoticDevice device, MediatorSlot slot) throws VfioException {
        Exchange made = admin.rebind(device.address(), Optional.of(slot.id()));
        if (made.failure().isPresent() || !made.mediator().equals(Optional.of(slot.name()))) {
            throw new AssertionError("rebind to " + slot + ": " + made);
        }
    }

    private void policy(ChaoticDevice device) throws Exception {
        policy(device, switch (random.nextInt(3)) {
            case 0 -> MediatorPolicy.FREEZE;
            case 1 -> MediatorPolicy.REFUSE;
            default -> MediatorPolicy.PASS_THROUGH;
        });
    }

    private void policy(ChaoticDevice device, MediatorPolicy policy) throws Exception {
        device.unguard();
        frozen.remove(device);
        refusing.remove(device);
        admin.policy(device.address(), policy);
        if (policy == MediatorPolicy.FREEZE) {
            if (mediator(device).isEmpty()) {
                rebind(device, someActive());
            }
            frozen.add(device);
            device.guard();
        } else if (policy == MediatorPolicy.REFUSE) {
            refusing.add(device);
        }
    }

    // ---- what takes more than a call

    private void swap(MediatorSlot from) throws VfioException {
        Optional<MediatorSlot> to = any(slot -> slot.isActive() && slot != from);
        if (to.isEmpty()) {
            return;
        }
        Set<PciAddress> own = new HashSet<>();
        devices.forEach(device -> own.add(device.address()));
        try {
            for (Exchange made : admin.swap(Optional.empty(), from.id(), to.get().id())) {
                if (own.contains(made.address()) && made.failure().isPresent()) {
                    throw new AssertionError("swap of %s to %s: %s".formatted(from, to.get(), made));
                }
            }
        } catch (VfioException e) {
            List<ChaoticDevice> its = its(from);
            if (e.errno() != Errno.ENOENT || !its.isEmpty()) {
                throw e;
            }
        }
    }

    private List<ChaoticDevice> its(MediatorSlot slot) throws VfioException {
        List<ChaoticDevice> its = new ArrayList<>();
        for (ChaoticDevice device : devices) {
            if (mediator(device).equals(Optional.of(slot.name()))) {
                its.add(device);
            }
        }
        return its;
    }

    private void unload(MediatorSlot slot) throws VfioException {
        boolean refused = its(slot).stream().anyMatch(refusing::contains);
        try {
            admin.unload(slot.id());
            slot.gone();
            if (refused || slot.isActive()) {
                throw new AssertionError("%s unloaded, expected=%s".formatted(slot, refused ? "a refusal" : "a stop"));
            }
        } catch (VfioException e) {
            if (e.errno() != Errno.EBUSY || !slot.isActive()) {
                throw e;
            }
        }
    }

    private void stopWithVisitors(MediatorSlot slot) throws Exception {
        List<ChaoticDevice> visited = devices.subList(0, VISITED);
        long[] before = visited.stream().mapToLong(device -> staying(slot, device)).toArray();
        slot.update(Chaotic.STAYS_UNTIL_STOPPED + stayMillis * Chaotic.STAY);
        if (!slot.isActive()) {
            slot.start();
        }
        for (ChaoticDevice device : visited) {
            policy(device, MediatorPolicy.PASS_THROUGH);
            if (!mediator(device).equals(Optional.of(slot.name()))) {
                rebind(device, slot);
            }
        }
        Await.until("visitors are inside", ChaosIT.PATIENCE, () -> IntStream.range(0, VISITED)
            .allMatch(i -> staying(slot, visited.get(i)) > before[i]));
        slot.stop();
        slot.update(anything());
    }

    private static long staying(MediatorSlot slot, ChaoticDevice device) {
        return slot.number(Chaotic.STAYING + device.address());
    }
}
