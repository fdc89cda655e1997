// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.bundles;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.Enumeration;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import org.osgi.framework.Bundle;
import vfio.pci.provision.jar.JarCheck;

/// What a bundle consists of, as a jar made of its entries: by it the bundle can be had again, wherever it came from. It is kept in memory,
/// so that it outlives whatever happens to files and bundles meanwhile.
final class PresentContent {
    private final byte[] jar;

    private PresentContent(byte[] jar) {
        this.jar = jar;
    }

    /// The content of a bundle, as it is now.
    ///
    /// @throws IOException when it cannot be read, or is larger than any jar that is taken
    static PresentContent of(Bundle bundle) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var jar = new JarOutputStream(bytes)) {
            // where who reads a jar from its beginning looks for it
            add(bundle, JarFile.MANIFEST_NAME, jar);
            addAll(bundle, "/", jar, bytes);
        }
        return new PresentContent(bytes.toByteArray());
    }

    private static void addAll(Bundle bundle, String folder, JarOutputStream jar, ByteArrayOutputStream bytes) throws IOException {
        Enumeration<String> paths = bundle.getEntryPaths(folder);
        for (String path : paths == null ? Collections.<String>emptyList() : Collections.list(paths)) {
            if (path.endsWith("/")) {
                addAll(bundle, path, jar, bytes);
            } else if (!path.equals(JarFile.MANIFEST_NAME)) {
                add(bundle, path, jar);
            }
            if (bytes.size() > JarCheck.MOST_BYTES) {
                throw new IOException("bundle=%s expected=at most 0x%x bytes".formatted(bundle, JarCheck.MOST_BYTES));
            }
        }
    }

    private static void add(Bundle bundle, String path, JarOutputStream jar) throws IOException {
        URL entry = bundle.getEntry(path);
        if (entry == null) {
            throw new IOException("bundle=%s entry=%s expected=one that is there".formatted(bundle, path));
        }
        jar.putNextEntry(new JarEntry(path));
        try (InputStream content = entry.openStream()) {
            content.transferTo(jar);
        }
    }

    /// Its bytes, as a jar.
    InputStream open() {
        return new ByteArrayInputStream(jar);
    }
}
