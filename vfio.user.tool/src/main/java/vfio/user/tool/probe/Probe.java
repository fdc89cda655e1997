// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool.probe;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import linux.sys.Fd;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DeviceInfo;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.IoEventFdLayout.IoEventFd;
import vfio.user.wire.VersionCapabilities;
import vfio.user.wire.client.RegionAnswer;
import vfio.user.wire.client.RegionIoFds;
import vfio.user.wire.client.VfioUserClient;

/// One look at a server. Each request ends within the time given, and all of them within four times that.
final class Probe {
    /// More regions or interrupts than a client of the protocol takes; a server that claims more is not asked for all.
    private static final int MOST = 128;
    private static final int ROUNDS = 4;
    /// After these the connection is of no more use.
    private static final Set<Errno> BROKEN = Set.of(Errno.ECONNRESET, Errno.EPROTO, Errno.ETIMEDOUT);
    /// `VFIO_DEVICE_FEATURE_*` by number, Linux's `include/uapi/linux/vfio.h`.
    private static final List<String> FEATURES = List.of("pci-vf-token", "migration", "mig-device-state", "low-power-entry",
        "low-power-entry-with-wakeup", "low-power-exit", "dma-logging-start", "dma-logging-stop", "dma-logging-report", "mig-data-size",
        "bus-master");

    private final VfioUserClient client;
    private final long deadline;

    private Probe(VfioUserClient client, Duration timeout) {
        this.client = client;
        deadline = System.nanoTime() + ROUNDS * timeout.toNanos();
    }

    static Offer of(Path socket, Duration timeout) throws VfioException {
        VersionCapabilities proposed = VersionCapabilities.NONE.withMaxMsgFds(16)
            .withMaxDataXferSize(VersionCapabilities.DEFAULT_MAX_DATA_XFER_SIZE).withWriteMultiple(true).withTwinSocket(true)
            .withDisablableAreas(true);
        try (VfioUserClient client = VfioUserClient.connect(socket, proposed, timeout)) {
            return new Probe(client, timeout).offer(socket);
        } catch (VfioException e) {
            if (e.errno() == Errno.ETIMEDOUT) {
                throw new VfioException(Errno.ETIMEDOUT, "socket=%s does not answer within %d s: %s".formatted(
                    socket, timeout.toSeconds(), e.getMessage()));
            }
            throw new VfioException(e.errno(), "socket=%s %s".formatted(socket, e.getMessage()));
        }
    }

    private Offer offer(Path socket) throws VfioException {
        DeviceInfo device = client.deviceInfo();
        List<Offer.Region> regions = new ArrayList<>();
        for (int i = 0; i < Math.min(MOST, device.regions()); i++) {
            regions.add(region(i));
        }
        List<IrqInfo> irqs = new ArrayList<>();
        for (int i = 0; i < Math.min(MOST, device.irqs()); i++) {
            checkTime();
            irqs.add(client.irqInfo(i));
        }
        return new Offer(socket, client.serverText(), device, regions, irqs, config(regions), features());
    }

    private Offer.Region region(int index) throws VfioException {
        checkTime();
        try (RegionAnswer answer = client.regionInfo(index)) {
            Optional<Fd> file = answer.file();
            return new Offer.Region(answer.info(), file.isPresent() ? OptionalLong.of(answer.offset()) : OptionalLong.empty(),
                file.isPresent() ? OptionalLong.of(file.get().size()) : OptionalLong.empty(), events(answer.info()));
        } catch (VfioException e) {
            if (e.errno() != Errno.EINVAL) {
                throw e;
            }
            // libvfio-user has no answer for an index that the device did not set up.
            return new Offer.Region(RegionInfo.absent(index), OptionalLong.empty(), OptionalLong.empty(), List.of());
        }
    }

    private List<IoEventFd> events(RegionInfo info) throws VfioException {
        if (info.size() == 0 || !info.flags().contains(RegionInfo.Flag.WRITE)) {
            return List.of();
        }
        checkTime();
        try (RegionIoFds found = client.regionIoFds(info.index())) {
            return found.subRegions();
        } catch (VfioException e) {
            if (BROKEN.contains(e.errno())) {
                throw e;
            }
            // The command is optional.
            return List.of();
        }
    }

    private Optional<ConfigSummary> config(List<Offer.Region> regions) throws VfioException {
        if (regions.size() <= RegionIndex.CONFIG) {
            return Optional.empty();
        }
        RegionInfo info = regions.get(RegionIndex.CONFIG).info();
        int size = (int) Math.min(info.size(), ConfigSummary.EXTENDED);
        if (size < ConfigSummary.CONVENTIONAL || !info.flags().contains(RegionInfo.Flag.READ)) {
            return Optional.empty();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(ConfigSummary.EXTENDED);
            checkTime();
            client.read(RegionIndex.CONFIG, 0, bytes, 0, ConfigSummary.CONVENTIONAL);
            if (size > ConfigSummary.CONVENTIONAL) {
                client.read(RegionIndex.CONFIG, ConfigSummary.CONVENTIONAL, bytes, ConfigSummary.CONVENTIONAL,
                    size - ConfigSummary.CONVENTIONAL);
            }
            return Optional.of(ConfigSummary.of(bytes));
        }
    }

    private Map<String, String> features() throws VfioException {
        Map<String, String> found = new LinkedHashMap<>();
        for (int feature = 0; feature < FEATURES.size(); feature++) {
            checkTime();
            boolean get = client.features().has(feature, DeviceFeatureLayout.GET);
            boolean set = client.features().has(feature, DeviceFeatureLayout.SET);
            if (get || set) {
                found.put(FEATURES.get(feature), get && set ? "get set" : get ? "get" : "set");
            }
        }
        return found;
    }

    private void checkTime() throws VfioException {
        if (System.nanoTime() - deadline >= 0) {
            throw new VfioException(Errno.ETIMEDOUT, "expected=all answers in time");
        }
    }
}
