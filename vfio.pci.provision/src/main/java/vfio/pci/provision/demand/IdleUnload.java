// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.provision.bundles.RunningDevices;

/// Uninstalls what was loaded on demand when it has had no device for long enough. It looks when a device was closed or something was
/// loaded; one thread serves all bundles, and there is none while nothing is due. What is due while a device is being bound is due once
/// more later.
public final class IdleUnload implements AutoCloseable {
    private final BundleContext context;
    private final DemandLoader loader;
    private final RunningDevices devices;
    private final Supplier<DemandSettings> settings;
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1,
        task -> Thread.ofPlatform().daemon().name("vfio-provision-idle").unstarted(task));
    /// Used by the timer's thread only: what is idle, by bundle.
    private final Map<Long, Due> idle = new HashMap<>();

    /// When a bundle is due that had accepted so many devices when it became idle.
    private record Due(long accepted, Future<?> end) {
    }

    /// For what this loader loads.
    public IdleUnload(BundleContext context, DemandLoader loader, Supplier<DemandSettings> settings) {
        this.context = context;
        this.loader = loader;
        this.devices = new RunningDevices(context);
        this.settings = settings;
        timer.setKeepAliveTime(1, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /// Something may have become idle, or other settings count. Returns at once.
    public void look() {
        try {
            timer.execute(this::schedule);
        } catch (RejectedExecutionException e) {
            // closed: nothing is unloaded any more
            return;
        }
    }

    private void schedule() {
        Optional<Duration> longest = settings.get().idle();
        List<Bundle> unused = longest.isEmpty() ? List.of()
            : loader.bundles().stream().filter(bundle -> !devices.uses(bundle.getBundleId())).toList();
        Set<Long> ids = unused.stream().map(Bundle::getBundleId).collect(Collectors.toSet());
        idle.entrySet().removeIf(entry -> !ids.contains(entry.getKey()) && entry.getValue().end.cancel(false));
        for (Bundle bundle : unused) {
            long accepted = devices.accepted(bundle.getBundleId());
            Due before = idle.get(bundle.getBundleId());
            if (before == null || before.accepted != accepted) {
                if (before != null) {
                    before.end.cancel(false);
                }
                idle.put(bundle.getBundleId(), new Due(accepted,
                    timer.schedule(() -> end(bundle, longest.get()), longest.get().toNanos(), TimeUnit.NANOSECONDS)));
            }
        }
    }

    private void end(Bundle bundle, Duration after) {
        idle.remove(bundle.getBundleId());
        if (context.getBundle(bundle.getBundleId()) != null && !loader.unloadUnused(bundle, "no device for " + after)) {
            look();
        }
    }

    /// Nothing is unloaded any more.
    @Override
    public void close() {
        timer.shutdown();
    }
}
