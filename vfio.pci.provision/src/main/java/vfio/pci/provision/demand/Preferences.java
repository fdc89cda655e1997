// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.osgi.framework.Version;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Which bundle somebody prefers for a kind of device, as the configuration `vfio.pci.provision.preferences` keeps it: its property
/// `prefer`, an array or a list with commas of `VENDOR:DEVICE=BUNDLE` or `VENDOR:DEVICE=BUNDLE:VERSION`.
public final class Preferences {
    private static final System.Logger LOG = System.getLogger(Preferences.class.getName());
    private static final String PID = "vfio.pci.provision.preferences";
    private static final String PREFER = "prefer";

    private final ConfigurationAdmin configurations;
    private final Optional<Path> file;
    private final Object lock = new Object();

    /// Kept there.
    ///
    /// @param folder of the files that the configurations come from at every start, if they do: there it is kept too
    public Preferences(ConfigurationAdmin configurations, Optional<Path> folder) {
        this.configurations = configurations;
        this.file = folder.map(path -> path.resolve(PID + ".cfg"));
    }

    /// All, by vendor and device id. The file counts before what has been made of it.
    public Map<String, String> all() {
        try {
            if (file.filter(Files::exists).isPresent()) {
                var properties = new Properties();
                try (Reader in = Files.newBufferedReader(file.get())) {
                    properties.load(in);
                }
                return read(properties.get(PREFER));
            }
            Dictionary<String, Object> properties = configurations.getConfiguration(PID, "?").getProperties();
            return read(properties == null ? null : properties.get(PREFER));
        } catch (IOException | IllegalArgumentException e) {
            LOG.log(System.Logger.Level.WARNING, "preferences cannot be read, and none count: {0}", e.getMessage());
            return Map.of();
        }
    }

    private static Map<String, String> read(Object value) {
        Map<String, String> all = new TreeMap<>();
        String[] lines = value instanceof String[] array ? array : String.valueOf(value == null ? "" : value).split(",");
        for (String line : lines) {
            String[] parts = line.strip().split("=", 2);
            if (parts.length == 2 && isDevice(parts[0]) && isBundle(parts[1])) {
                all.put(parts[0].toLowerCase(Locale.ROOT), parts[1]);
            } else if (!line.isBlank()) {
                LOG.log(System.Logger.Level.WARNING, "{0}: {1}={2} expected=VENDOR:DEVICE=BUNDLE[:VERSION]; left out", PID, PREFER, line);
            }
        }
        return all;
    }

    private static boolean isDevice(String text) {
        return text.matches("\\p{XDigit}{4}:\\p{XDigit}{4}");
    }

    private static boolean isBundle(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length > 2 || !parts[0].matches("[\\w.-]+")) {
            return false;
        }
        try {
            return parts.length == 1 || !Version.parseVersion(parts[1]).equals(Version.emptyVersion);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /// Prefers a bundle, or none any more. Counts for opens from when this returns.
    ///
    /// @throws VfioException EINVAL when one of them is none; EIO when it cannot be kept
    public void prefer(String device, Optional<String> bundle) throws VfioException {
        if (!isDevice(device)) {
            throw new VfioException(Errno.EINVAL, "device=%s expected=VENDOR:DEVICE, four hexadecimal digits each".formatted(device));
        }
        if (bundle.isPresent() && !isBundle(bundle.get())) {
            throw new VfioException(Errno.EINVAL, "bundle=%s expected=a symbolic name, or NAME:VERSION".formatted(bundle.get()));
        }
        synchronized (lock) {
            Map<String, String> all = new TreeMap<>(all());
            String key = device.toLowerCase(Locale.ROOT);
            bundle.ifPresentOrElse(name -> all.put(key, name), () -> all.remove(key));
            keep(all);
        }
    }

    private void keep(Map<String, String> all) throws VfioException {
        String lines = all.entrySet().stream().map(entry -> entry.getKey() + "=" + entry.getValue()).collect(Collectors.joining(", "));
        try {
            if (file.isPresent()) {
                write(file.get(), lines);
            }
            Configuration configuration = configurations.getConfiguration(PID, "?");
            Dictionary<String, Object> before = configuration.getProperties();
            Dictionary<String, Object> properties = before == null ? new Hashtable<>() : before;
            properties.put(PREFER, lines);
            configuration.update(properties);
        } catch (IOException e) {
            throw new VfioException(Errno.EIO, "%s=%s expected=a configuration that can be written: %s".formatted(PREFER, lines, e));
        }
    }

    /// Whole or not at all, as somebody may be reading it.
    private static void write(Path file, String lines) throws IOException {
        Path written = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.writeString(written, """
                # As vfio:prefer set it: VENDOR:DEVICE=BUNDLE or VENDOR:DEVICE=BUNDLE:VERSION, separated by commas.
                %s = %s
                """.formatted(PREFER, lines));
            Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(written);
        }
    }
}
