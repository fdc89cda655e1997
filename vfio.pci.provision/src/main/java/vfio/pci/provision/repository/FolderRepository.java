// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.repository;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import vfio.pci.provision.jar.JarDescription;
import vfio.pci.provision.match.Offer;

/// The mediators among the jars of a folder. Nobody says what their digests are.
final class FolderRepository implements Repository {
    private static final System.Logger LOG = System.getLogger(FolderRepository.class.getName());

    private final Path folder;
    private final Object lock = new Object();
    /// Guarded by the lock: what each jar said when it was read.
    private Map<Path, Entry> known = Map.of();

    /// A jar as it was, and what it offers.
    private record Entry(long modified, long size, Optional<Offer> offer) {
    }

    FolderRepository(Path folder) {
        this.folder = folder;
    }

    @Override
    public List<Offer> offers() throws IOException {
        synchronized (lock) {
            Map<Path, Entry> now = new HashMap<>();
            List<Offer> offers = new ArrayList<>();
            try (DirectoryStream<Path> jars = Files.newDirectoryStream(folder, "*.jar")) {
                for (Path jar : jars) {
                    entry(jar).ifPresent(entry -> {
                        now.put(jar, entry);
                        entry.offer.ifPresent(offers::add);
                    });
                }
            }
            known = now;
            return offers;
        }
    }

    /// None for one that has gone since the folder was listed, and for what is no file.
    private Optional<Entry> entry(Path jar) throws IOException {
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(jar, BasicFileAttributes.class);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        if (!attributes.isRegularFile()) {
            return Optional.empty();
        }
        long modified = attributes.lastModifiedTime().toMillis();
        Entry before = known.get(jar);
        boolean same = before != null && before.modified == modified && before.size == attributes.size();
        return Optional.of(same ? before : new Entry(modified, attributes.size(), read(jar, modified)));
    }

    /// One jar that cannot be read is no reason to do without the others.
    private static Optional<Offer> read(Path jar, long modified) {
        try {
            return JarDescription.read(jar).filter(JarDescription::isMediator).map(description -> new Offer(
                description.symbolicName(), description.version(), jar, Optional.empty(), modified, description.capabilities()));
        } catch (IOException | IllegalArgumentException e) {
            LOG.log(System.Logger.Level.WARNING, "jar={0} of the repository is left out: {1}", jar, e.getMessage());
            return Optional.empty();
        }
    }
}
