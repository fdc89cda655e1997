// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.device.VfioDevice;

/** Has the mediators of its devices exchanged, device by device, while their bundles come and go: now it works and now it is refused. */
final class DeviceDisturber {
    private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    /** What it may be answered where a mediator or a device has just gone, or is held, or has no state. */
    private static final Set<Errno> REFUSALS = EnumSet.of(Errno.ENODEV, Errno.ENOENT, Errno.EBUSY, Errno.EPERM, Errno.EOPNOTSUPP);

    private final DeviceAdmin admin;
    private final List<MediatorSlot> slots;
    private final List<ChaoticDevice> devices;
    private final SplittableRandom random;
    private final Map<Step, Integer> done = new EnumMap<>(Step.class);
    private final Thread thread = Thread.ofPlatform().name("chaos-devices").daemon().unstarted(this::run);
    private volatile boolean ending;
    private volatile Throwable failure;

    /** What it does. */
    enum Step {
        REBIND, SWAP, RENEW, RESET, POLICY
    }

    DeviceDisturber(DeviceAdmin admin, List<MediatorSlot> slots, List<ChaoticDevice> devices, SplittableRandom random) {
        this.admin = admin;
        this.slots = slots;
        this.devices = devices;
        this.random = random;
    }

    void start() {
        thread.start();
    }

    boolean isWell() {
        return failure == null;
    }

    /** How often each thing was done, refused or not. For when it has ended. */
    Map<Step, Integer> done() {
        return done;
    }

    /** Ends it. There is a mediator, so that no device waits for one afterwards. */
    Optional<String> end() throws InterruptedException {
        ending = true;
        thread.join(ChaosIT.PATIENCE.toMillis());
        if (thread.isAlive()) {
            return Optional.of(thread.getName() + " hangs: " + List.of(thread.getStackTrace()));
        }
        return Optional.ofNullable(failure).map(wrong -> thread.getName() + ": " + wrong);
    }

    private void run() {
        try {
            while (!ending) {
                disturb();
                LockSupport.parkNanos(REST_NANOS);
            }
            for (ChaoticDevice device : devices) {
                admin.policy(device.address(), MediatorPolicy.PASS_THROUGH);
                if (admin.device(device.address()).mediator().isEmpty()) {
                    try {
                        admin.rebind(device.address(), Optional.empty());
                    } catch (VfioException e) {
                        // Nobody has it open just now, or a mediator has come by itself.
                        if (!REFUSALS.contains(e.errno())) {
                            throw e;
                        }
                    }
                }
            }
        } catch (VfioException | RuntimeException | Error e) { // checkstyle: allow IllegalCatch: it is told in the end
            failure = e;
        }
    }

    private void disturb() throws VfioException {
        ChaoticDevice device = devices.get(random.nextInt(devices.size()));
        Step step = Step.values()[random.nextInt(Step.values().length)];
        String successor = slots.get(random.nextInt(slots.size())).name();
        MediatorPolicy policy = MediatorPolicy.values()[random.nextInt(MediatorPolicy.values().length)];
        try {
            switch (step) {
                case REBIND -> admin.rebind(device.address(), Optional.of(successor));
                case SWAP -> swap(device.address(), successor);
                case RENEW -> admin.renew(device.address());
                case RESET -> reset(device);
                case POLICY -> admin.policy(device.address(), policy);
            }
        } catch (VfioException e) {
            // A mediator that goes while it saves or loads fails a renewal.
            if (!REFUSALS.contains(e.errno()) && !(step == Step.RENEW && e.errno() == Errno.EIO)) {
                throw e;
            }
        }
        done.merge(step, 1, Integer::sum);
    }

    private void swap(PciAddress address, String successor) throws VfioException {
        Optional<String> present = admin.device(address).mediator();
        if (present.isPresent() && !present.get().equals(successor)) {
            List<Exchange> made = admin.swap(Optional.of(address), present.get(), successor);
            if (made.size() != 1) {
                throw new AssertionError("swap of " + address + ": " + made);
            }
        }
    }

    private static void reset(ChaoticDevice device) throws VfioException {
        try (VfioDevice handle = device.open(-1)) {
            handle.reset();
        }
    }
}
