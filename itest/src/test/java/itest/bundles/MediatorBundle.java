// SPDX-License-Identifier: Apache-2.0
package itest.bundles;

import itest.mediators.Activator;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import vfio.pci.api.mediation.MediateOps;

/**
 * A bundle with one of the mediators of {@code itest.mediators}: a description, from which a jar is made. Unless said otherwise its
 * mediator is named as its class, without a ranking, and the bundle after the mediator.
 *
 * @param headers of the manifest
 */
public record MediatorBundle(Map<String, String> headers) {
    private static final String CONTENT = "itest/mediators";

    /** Copies the headers. */
    public MediatorBundle {
        headers = Map.copyOf(headers);
    }

    /** A bundle with this mediator. */
    public static MediatorBundle of(Class<? extends MediateOps> mediator) {
        return new MediatorBundle(Map.of(
            "Bundle-ManifestVersion", "2",
            Constants.BUNDLE_VERSION, "1.0.0",
            Constants.BUNDLE_ACTIVATOR, Activator.class.getName(),
            Constants.IMPORT_PACKAGE, "org.osgi.framework,vfio.pci.api,vfio.pci.api.admin,vfio.pci.api.device,vfio.pci.api.dma,"
                + "vfio.pci.api.function,vfio.pci.api.mediation,vfio.pci.api.migration",
            Activator.CLASS, mediator.getName(),
            Activator.ANSWER, "0")).named(mediator.getSimpleName());
    }

    /** With this name of the mediator and, after it, of the bundle. */
    public MediatorBundle named(String name) {
        return with(Activator.NAME, name).bundled("itest.mediator." + name);
    }

    /** With this name of the bundle. */
    public MediatorBundle bundled(String symbolicName) {
        return with(Constants.BUNDLE_SYMBOLICNAME, symbolicName);
    }

    /** With this version of the bundle. */
    public MediatorBundle version(String version) {
        return with(Constants.BUNDLE_VERSION, version);
    }

    /** With this number as the mediator's answer. */
    public MediatorBundle answering(int answer) {
        return with(Activator.ANSWER, Integer.toString(answer));
    }

    /** With this {@code service.ranking}. */
    public MediatorBundle ranked(int ranking) {
        return with(Activator.RANKING, Integer.toString(ranking));
    }

    /** Saying that it fits this: attributes of the capability {@code vfio.mediator}. */
    public MediatorBundle fitting(String attributes) {
        return with(Constants.PROVIDE_CAPABILITY, "vfio.mediator" + (attributes.isEmpty() ? "" : ";" + attributes));
    }

    /** Importing this too. */
    public MediatorBundle importing(String packages) {
        return with(Constants.IMPORT_PACKAGE, headers.get(Constants.IMPORT_PACKAGE) + "," + packages);
    }

    /** Not able to start. */
    public MediatorBundle withoutItsClass() {
        return with(Activator.CLASS, "no.such.Mediator");
    }

    private MediatorBundle with(String header, String value) {
        Map<String, String> all = new TreeMap<>(headers);
        all.put(header, value);
        return new MediatorBundle(all);
    }

    /** Its name as a bundle. */
    public String symbolicName() {
        return headers.get(Constants.BUNDLE_SYMBOLICNAME);
    }

    /** The jar. */
    public InputStream jar() {
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.forEach(manifest.getMainAttributes()::putValue);
        var bytes = new ByteArrayOutputStream();
        Bundle test = FrameworkUtil.getBundle(MediatorBundle.class);
        try (var jar = new JarOutputStream(bytes, manifest)) {
            for (URL entry : Collections.list(test.findEntries(CONTENT, "*.class", false))) {
                jar.putNextEntry(new JarEntry(entry.getPath().substring(1)));
                try (InputStream content = entry.openStream()) {
                    content.transferTo(jar);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }
}
