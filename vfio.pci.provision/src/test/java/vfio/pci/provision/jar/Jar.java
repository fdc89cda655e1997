// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/// Writes bundles without code, which is all that reading them takes.
public final class Jar {
    private Jar() {
    }

    /// A bundle that says it fits a device.
    public static Path mediator(Path file, String name, String version, String capability) throws IOException {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Bundle-ManifestVersion", "2");
        headers.put("Bundle-SymbolicName", name);
        headers.put("Bundle-Version", version);
        headers.put("Provide-Capability", capability);
        return write(file, headers);
    }

    /// A jar with these headers and a file.
    public static Path write(Path file, Map<String, String> headers) throws IOException {
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.forEach(manifest.getMainAttributes()::putValue);
        try (var jar = new JarOutputStream(Files.newOutputStream(file), manifest)) {
            jar.putNextEntry(new JarEntry("content.txt"));
            jar.write(file.getFileName().toString().getBytes(StandardCharsets.UTF_8));
        }
        return file;
    }
}
