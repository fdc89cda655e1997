// SPDX-License-Identifier: Apache-2.0
package itest.bundles;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;

/** A bundle of this build as its next version: the same in all else. */
public final class NextVersion {
    /** Its version. */
    public static final String VERSION = "9.0.0";

    private NextVersion() {
    }

    /** The jar. */
    public static InputStream of(Path present) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var from = new JarFile(present.toFile())) {
            var manifest = new Manifest(from.getManifest());
            manifest.getMainAttributes().putValue(Constants.BUNDLE_VERSION, VERSION);
            try (var jar = new JarOutputStream(bytes, manifest)) {
                for (JarEntry entry : from.stream().filter(each -> !each.getName().equals(JarFile.MANIFEST_NAME)).toList()) {
                    jar.putNextEntry(new JarEntry(entry.getName()));
                    try (InputStream content = from.getInputStream(entry)) {
                        content.transferTo(jar);
                    }
                }
            }
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }
}
