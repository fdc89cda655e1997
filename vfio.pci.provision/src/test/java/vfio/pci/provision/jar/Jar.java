// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import java.io.IOException;
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
        return write(file, headers, "content.txt", 1);
    }

    /// A jar with these headers and a file of so many zeroes.
    static Path write(Path file, Map<String, String> headers, String name, long size) throws IOException {
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.forEach(manifest.getMainAttributes()::putValue);
        byte[] zeroes = new byte[1 << 16];
        try (var jar = new JarOutputStream(Files.newOutputStream(file), manifest)) {
            jar.putNextEntry(new JarEntry(name));
            for (long left = size; left > 0; left -= zeroes.length) {
                jar.write(zeroes, 0, (int) Math.min(left, zeroes.length));
            }
        }
        return file;
    }
}
