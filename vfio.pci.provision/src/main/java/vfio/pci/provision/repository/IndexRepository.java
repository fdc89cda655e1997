// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.repository;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.zip.GZIPInputStream;
import vfio.pci.provision.match.Offer;

/// The mediators that an index lists.
final class IndexRepository implements Repository {
    /// Largest index that is read, decompressed.
    private static final long MOST_BYTES = 16 << 20;

    private final Path index;
    private final Object lock = new Object();
    /// Guarded by the lock: what it said when it was as below.
    private List<Offer> offers = List.of();
    private long modified = -1;
    private long size = -1;

    IndexRepository(Path index) {
        this.index = index;
    }

    @Override
    public List<Offer> offers() throws IOException {
        synchronized (lock) {
            BasicFileAttributes attributes = Files.readAttributes(index, BasicFileAttributes.class);
            if (attributes.lastModifiedTime().toMillis() != modified || attributes.size() != size) {
                try (InputStream in = open()) {
                    offers = IndexReader.read(in, index, attributes.lastModifiedTime().toMillis());
                }
                modified = attributes.lastModifiedTime().toMillis();
                size = attributes.size();
            }
            return offers;
        }
    }

    private InputStream open() throws IOException {
        InputStream in = Files.newInputStream(index);
        try {
            return new Bounded(index.toString().endsWith(".gz") ? new GZIPInputStream(in) : in);
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    /// A file of a few bytes can decompress to any number.
    private static final class Bounded extends FilterInputStream {
        private long left = MOST_BYTES;

        Bounded(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int b = super.read();
            count(b < 0 ? 0 : 1);
            return b;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int count = super.read(target, offset, length);
            count(Math.max(0, count));
            return count;
        }

        private void count(int read) throws IOException {
            left -= read;
            if (left < 0) {
                throw new IOException("index expected=at most 0x%x bytes".formatted(MOST_BYTES));
            }
        }
    }
}
