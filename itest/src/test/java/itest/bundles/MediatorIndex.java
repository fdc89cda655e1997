// SPDX-License-Identifier: Apache-2.0
package itest.bundles;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.osgi.framework.Constants;

/** A repository of mediators that a test writes: jars in a folder, and an index of them. */
public final class MediatorIndex {
    private final Path folder;
    private final List<String> resources = new ArrayList<>();

    /** Without a mediator yet. */
    public MediatorIndex(Path folder) {
        this.folder = folder;
    }

    /** Adds a mediator, its digest as it is. */
    public MediatorIndex add(MediatorBundle mediator) throws IOException {
        byte[] jar = mediator.jar().readAllBytes();
        return add(mediator, jar, digest(jar));
    }

    /** Adds a mediator with this digest. */
    public MediatorIndex add(MediatorBundle mediator, String digest) throws IOException {
        return add(mediator, mediator.jar().readAllBytes(), digest);
    }

    private MediatorIndex add(MediatorBundle mediator, byte[] jar, String digest) throws IOException {
        String file = "mediator-" + resources.size() + ".jar";
        Files.write(folder.resolve(file), jar);
        resources.add("""
            <resource>
              <capability namespace="osgi.identity"><attribute name="osgi.identity" value="%s"/>
                <attribute name="version" type="Version" value="%s"/></capability>
              <capability namespace="osgi.content"><attribute name="osgi.content" value="%s"/>
                <attribute name="url" value="%s"/></capability>
              <capability namespace="vfio.mediator">%s</capability>
            </resource>
            """.formatted(mediator.symbolicName(), mediator.headers().get(Constants.BUNDLE_VERSION), digest, file,
            attributes(mediator.headers().get(Constants.PROVIDE_CAPABILITY))));
        return this;
    }

    private static String attributes(String capability) {
        var xml = new StringBuilder();
        String[] parts = capability.split(";");
        for (int i = 1; i < parts.length; i++) {
            String[] attribute = parts[i].split("=");
            xml.append("<attribute name=\"%s\" value=\"%s\"/>".formatted(attribute[0], attribute[1]));
        }
        return xml.toString();
    }

    private static String digest(byte[] jar) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(jar));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Writes the index, which counts from when this returns. */
    public void write() throws IOException {
        Path written = Files.writeString(folder.resolve("index.new"), "<?xml version=\"1.0\"?>\n<repository>\n" + String.join("", resources)
            + "</repository>\n");
        Files.move(written, folder.resolve("index.xml"), StandardCopyOption.REPLACE_EXISTING,
            StandardCopyOption.ATOMIC_MOVE);
    }
}
