// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.plan;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.admin.PlanAction;
import vfio.pci.api.admin.ProvisionPlan;
import vfio.pci.api.admin.ProvisionPlan.AffectedBundle;
import vfio.pci.api.admin.ProvisionPlan.AffectedDevice;
import vfio.pci.provision.bundles.BundleChanges;
import vfio.pci.provision.bundles.RunningDevices;
import vfio.pci.provision.demand.DemandSettings;
import vfio.pci.provision.demand.OfferReading;
import vfio.pci.provision.jar.CheckedJar;
import vfio.pci.provision.jar.JarCheck;

/// Makes plans, and carries out the last one.
public final class Plans {
    private final BundleContext context;
    private final RunningDevices devices;
    private final BundleChanges changes;
    private final JarCheck check;
    private final Jars jars;
    private final World world;
    private final Object lock = new Object();
    /// Guarded by the lock: the last one, until it is carried out.
    private Optional<Planned> last = Optional.empty();

    /// A plan with what it takes to carry it out.
    private record Planned(ProvisionPlan plan, Optional<Bundle> subject, Optional<Jars.Named> jar) {
    }

    /// Plans for this framework.
    public Plans(BundleContext context, JarCheck check, OfferReading reading, Supplier<DemandSettings> settings) {
        this.context = context;
        this.devices = new RunningDevices(context);
        this.changes = new BundleChanges(context);
        this.check = check;
        this.jars = new Jars(reading, settings);
        this.world = new World(context, devices);
    }

    /// As [vfio.pci.api.admin.ProvisionAdmin#plan].
    public ProvisionPlan plan(PlanAction action, String bundle, Optional<String> from) throws VfioException {
        if (from.isPresent() && action != PlanAction.UPDATE) {
            throw new VfioException(Errno.EINVAL, "from=%s expected=nothing but for an update".formatted(from.get()));
        }
        // before anything is looked at: what changes meanwhile makes the plan void
        String state = world.state();
        Planned planned = switch (action) {
            case INSTALL -> install(bundle, state);
            case UPDATE -> update(installed(bundle), from, state);
            case UNINSTALL -> change(action, installed(bundle), Optional.empty(), List.of(), state);
            case REFRESH -> change(action, installed(bundle), Optional.empty(), List.of(), state);
        };
        synchronized (lock) {
            last = Optional.of(planned);
        }
        return planned.plan;
    }

    private Planned install(String name, String state) throws VfioException {
        Jars.Named jar = jars.named(name);
        try (CheckedJar checked = check.check(jar.file(), jar.sha256())) {
            String subject = checked.description().toString();
            for (Bundle bundle : context.getBundles()) {
                if (subject.equals(bundle.getSymbolicName() + " " + bundle.getVersion())) {
                    throw new VfioException(Errno.EEXIST, "bundle=%s expected=one that is not installed".formatted(bundle));
                }
            }
            List<String> notes = new ArrayList<>();
            notes.add("Devices that are open stay as they are; those opened from then on ask a new mediator last.");
            if (!checked.description().isMediator()) {
                notes.add("It does not say what it fits (vfio.mediator), so it is not found on demand.");
            }
            ProvisionPlan plan = new ProvisionPlan(PlanAction.INSTALL, subject,
                List.of(new AffectedBundle(subject, Optional.empty(), "installed")), List.of(), notes, state);
            return new Planned(plan, Optional.empty(), Optional.of(jar.with(checked.sha256())));
        }
    }

    private Planned update(Bundle bundle, Optional<String> from, String state) throws VfioException {
        Jars.Named jar = jars.named(from.orElseGet(() -> updateLocation(bundle)));
        try (CheckedJar checked = check.check(jar.file(), jar.sha256())) {
            if (!checked.description().symbolicName().equals(bundle.getSymbolicName())) {
                throw new VfioException(Errno.EINVAL, "jar=%s bundle=%s expected=%s".formatted(jar.file(),
                    checked.description().symbolicName(), bundle.getSymbolicName()));
            }
            boolean older = checked.description().version().compareTo(bundle.getVersion()) < 0;
            return change(PlanAction.UPDATE, bundle, Optional.of(jar.with(checked.sha256())),
                List.of("It becomes " + checked.description() + (older ? ", which is older." : ".")), state);
        }
    }

    private static String updateLocation(Bundle bundle) {
        String location = bundle.getHeaders("").get("Bundle-UpdateLocation");
        String place = location == null ? bundle.getLocation() : location;
        return place.replaceFirst("^(reference|initial@reference):", "");
    }

    private Planned change(PlanAction action, Bundle bundle, Optional<Jars.Named> jar, List<String> notes, String state)
            throws VfioException {
        Collection<Bundle> closure = changes.closure(List.of(bundle));
        if (bundle.getBundleId() == 0 || closure.stream().anyMatch(each -> each.getBundleId() == 0)) {
            throw new VfioException(Errno.EBUSY, "bundle=%s expected=none that the framework itself depends on".formatted(bundle));
        }
        List<AffectedBundle> affected = new ArrayList<>();
        affected.add(affected(bundle, effect(action)));
        closure.stream().filter(each -> each != bundle).sorted(Comparator.comparingLong(Bundle::getBundleId))
            .forEach(each -> affected.add(affected(each, effect(PlanAction.REFRESH))));
        List<String> all = new ArrayList<>(notes);
        if (closure.contains(context.getBundle())) {
            all.add("What carries this out is among them: it is begun and not waited for, and forgets what was loaded for what.");
        }
        List<Bundle> stopping = closure.stream().filter(each -> (each.getState() & (Bundle.ACTIVE | Bundle.STARTING)) != 0).toList();
        List<AffectedDevice> touched = new BlastRadius(devices).of(stopping);
        all.addAll(refusing(touched));
        ProvisionPlan plan = new ProvisionPlan(action, bundle.getSymbolicName() + " " + bundle.getVersion(), affected, touched, all, state);
        return new Planned(plan, Optional.of(bundle), jar);
    }

    private List<String> refusing(List<AffectedDevice> touched) {
        Map<PciAddress, MediatorPolicy> policies = devices.policies();
        return touched.stream().map(AffectedDevice::address).filter(address -> policies.get(address) == MediatorPolicy.REFUSE)
            .map(address -> address + " has the policy refuse, for which only vfio:unload asks.").toList();
    }

    private static AffectedBundle affected(Bundle bundle, String effect) {
        return new AffectedBundle(bundle.getSymbolicName() + " " + bundle.getVersion(), Optional.of(bundle.getBundleId()), effect);
    }

    private static String effect(PlanAction action) {
        return switch (action) {
            case INSTALL -> "installed";
            case UPDATE -> "updated";
            case UNINSTALL -> "uninstalled";
            case REFRESH -> "refreshed";
        };
    }

    private Bundle installed(String name) throws VfioException {
        List<Bundle> found = Arrays.stream(context.getBundles())
            .filter(bundle -> name.equals(bundle.getSymbolicName()) || name.equals(Long.toString(bundle.getBundleId()))
                || name.equals(bundle.getSymbolicName() + ":" + bundle.getVersion())).toList();
        if (found.isEmpty()) {
            throw new VfioException(Errno.ENOENT, "bundle=%s expected=id or symbolic name of an installed bundle".formatted(name));
        }
        if (found.size() > 1) {
            throw new VfioException(Errno.EINVAL, "bundle=%s expected=NAME:VERSION or the id of one of %s".formatted(name, found));
        }
        return found.getFirst();
    }

    /// As [vfio.pci.api.admin.ProvisionAdmin#apply].
    public ProvisionPlan apply() throws VfioException {
        Planned planned;
        synchronized (lock) {
            planned = last.orElseThrow(() -> new VfioException(Errno.ENOENT, "plan=none expected=one"));
            last = Optional.empty();
        }
        String now = world.state();
        if (!now.equals(planned.plan.state())) {
            throw new VfioException(Errno.ECANCELED, "state=%s expected=%s: bundles or devices changed since; plan again".formatted(
                now, planned.plan.state()));
        }
        if (planned.jar.isEmpty()) {
            carryOut(planned.plan.action(), planned.subject.orElseThrow());
        } else {
            try (CheckedJar jar = check.check(planned.jar.get().file(), planned.jar.get().sha256())) {
                carryOut(planned, jar);
            }
        }
        return planned.plan;
    }

    private void carryOut(PlanAction action, Bundle bundle) throws VfioException {
        if (action == PlanAction.UNINSTALL) {
            changes.uninstall(bundle);
        } else {
            changes.refresh(List.of(bundle));
        }
    }

    private void carryOut(Planned planned, CheckedJar jar) throws VfioException {
        if (planned.subject.isPresent()) {
            changes.update(planned.subject.get(), jar);
        } else {
            Path file = planned.jar.orElseThrow().file();
            changes.install(file.toUri().toString(), jar, Bundle.START_ACTIVATION_POLICY);
        }
    }
}
