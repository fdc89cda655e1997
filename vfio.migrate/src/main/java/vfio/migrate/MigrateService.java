// SPDX-License-Identifier: Apache-2.0
package vfio.migrate;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.MigrateAdmin;
import vfio.pci.api.admin.MigratingClient;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;

/// The service, and the socket where the framework property `vfio.migrate` or the configuration says. Without either no VMM can take part.
@Component(service = MigrateAdmin.class, immediate = true, configurationPid = "vfio.migrate")
@Designate(ocd = MigrateSettings.class)
public final class MigrateService implements MigrateAdmin {
    /// Framework property: the socket's path.
    public static final String SOCKET = "vfio.migrate";

    private static final Logger LOG = System.getLogger(MigrateService.class.getName());

    private final DeviceAdmin devices;
    private final MoverRegistry registry = new MoverRegistry();
    private final Optional<ControlSocket> socket;

    /// Listens, if it is to.
    @Activate
    public MigrateService(@Reference DeviceAdmin devices, BundleContext context, MigrateSettings settings) {
        this.devices = devices;
        String property = context.getProperty(SOCKET);
        socket = listen(property == null || property.isEmpty() ? settings.socket() : property);
    }

    private Optional<ControlSocket> listen(String path) {
        if (path.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new ControlSocket(Path.of(path), registry, this::requireClient));
        } catch (VfioException | InvalidPathException e) {
            LOG.log(Level.ERROR, "no VMM can take part: {0}", e);
            return Optional.empty();
        }
    }

    /// The names that transports give their clients have the process in them.
    private void requireClient(PciAddress address, long process) throws VfioException {
        DeviceStatus device = devices.device(address);
        if (device.clients().stream().noneMatch(client -> (" " + client + " ").contains(" pid=" + process + " "))) {
            throw new VfioException(Errno.EPERM, "device=%s clients=%s expected=process %d".formatted(address, device.clients(), process));
        }
    }

    @Override
    public List<MigratingClient> clients() {
        return registry.all().stream().map(Mover::status).toList();
    }

    @Override
    public MigrationOutcome migrate(PciAddress address, MigrationOrder order, Consumer<MigrationProgress> progress) throws VfioException {
        return mover(address).move(order, progress);
    }

    private Mover mover(PciAddress address) throws VfioException {
        DeviceStatus device = devices.device(address);
        Mover mover = registry.of(address).orElseThrow(() -> new VfioException(Errno.EOPNOTSUPP,
            "device=%s clients=%s takes no part in moving, nothing was changed; expected=a client that registers %s".formatted(address,
                device.clients(), socket.isPresent() ? "at the runtime's socket for that" : "at a socket, which is not configured")));
        requireClient(address, mover.process());
        return mover;
    }

    @Override
    public void cancel(PciAddress address) throws VfioException {
        mover(address).cancel();
    }

    /// Ends the socket; what VMMs do goes on without anybody being told.
    @Deactivate
    public void close() {
        socket.ifPresent(ControlSocket::close);
    }
}
