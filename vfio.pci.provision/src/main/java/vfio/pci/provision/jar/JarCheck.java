// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Makes a checked copy of a jar.
public final class JarCheck {
    /// Largest jar that is taken.
    public static final long MOST_BYTES = 64 << 20;

    /// Most that the files in it may be together, unpacked.
    static final long MOST_UNPACKED_BYTES = 256 << 20;
    private static final System.Logger LOG = System.getLogger(JarCheck.class.getName());
    private static final String PREFIX = "jar-";

    private final Path folder;
    private final SignaturePolicy policy;

    /// Who has to have signed a jar.
    public interface SignaturePolicy {
        /// Anybody or nobody.
        SignaturePolicy NONE = Optional::empty;

        /// Those, if anybody.
        ///
        /// @throws IOException when it is not known who, so that nothing can be taken
        Optional<Signers> required() throws IOException;
    }

    /// Copies into this folder.
    public JarCheck(Path folder, SignaturePolicy policy) {
        this.folder = folder;
        this.policy = policy;
    }

    /// Deletes copies that an earlier life, which ended all of a sudden, has left.
    public void discardLeftovers() {
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> copies = Files.newDirectoryStream(folder, PREFIX + "*")) {
                copies.forEach(CheckedJar::delete);
            } catch (IOException e) {
                LOG.log(System.Logger.Level.WARNING, "folder={0} cannot be emptied: {1}", folder, e.toString());
            }
        }
    }

    /// Copies a jar and checks the copy.
    ///
    /// @param sha256 digest that it must have
    /// @return the copy, which is the caller's to close
    /// @throws VfioException ENOENT when there is none; EACCES when its digest or its signature is not as required; EINVAL when it is no
    ///     bundle; EIO when it cannot be copied. Nothing is left behind
    public CheckedJar check(Path jar, Optional<String> sha256) throws VfioException {
        Path copy = null;
        boolean done = false;
        if (Files.exists(jar) && !Files.isRegularFile(jar)) {
            throw notABundle(jar, "it is no regular file");
        }
        try {
            Files.createDirectories(folder);
            copy = Files.createTempFile(folder, PREFIX, ".jar");
            String digest = copy(jar, copy);
            if (sha256.isPresent() && !sha256.get().equals(digest)) {
                throw new VfioException(Errno.EACCES, "jar=%s sha256=%s expected=%s".formatted(jar, digest, sha256.get()));
            }
            checkUnpacked(jar, copy);
            checkSigned(jar, copy);
            JarDescription description = JarDescription.read(copy).orElseThrow(() -> notABundle(jar, "it has no name"));
            done = true;
            return new CheckedJar(copy, digest, description);
        } catch (NoSuchFileException e) {
            throw new VfioException(Errno.ENOENT, "jar=%s expected=a file that exists".formatted(jar));
        } catch (IllegalArgumentException | SecurityException e) {
            throw notABundle(jar, e.getMessage());
        } catch (IOException e) {
            throw new VfioException(Errno.EIO, "jar=%s expected=a jar that can be read: %s".formatted(jar, e.getMessage()));
        } finally {
            if (!done && copy != null) {
                CheckedJar.delete(copy);
            }
        }
    }

    private static VfioException notABundle(Path jar, String why) {
        return new VfioException(Errno.EINVAL, "jar=%s expected=a bundle: %s".formatted(jar, why));
    }

    /// Copies, no more than the bound, whatever the file's length was said to be.
    private static String copy(Path from, Path to) throws IOException, VfioException {
        MessageDigest sha256 = sha256();
        try (InputStream in = new DigestInputStream(Files.newInputStream(from), sha256); OutputStream out = Files.newOutputStream(to)) {
            byte[] block = new byte[1 << 16];
            long total = 0;
            for (int count = in.read(block); count >= 0; count = in.read(block)) {
                total += count;
                if (total > MOST_BYTES) {
                    throw new VfioException(Errno.EINVAL, "jar=%s expected=at most 0x%x bytes".formatted(from, MOST_BYTES));
                }
                out.write(block, 0, count);
            }
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /// By what its directory says: nobody unpacks more of an entry than that.
    private static void checkUnpacked(Path jar, Path copy) throws IOException, VfioException {
        try (var zip = new ZipFile(copy.toFile())) {
            long total = 0;
            for (ZipEntry entry : Collections.list(zip.entries())) {
                total += Math.max(0, entry.getSize());
                if (total > MOST_UNPACKED_BYTES) {
                    throw new VfioException(Errno.EINVAL, "jar=%s expected=at most 0x%x bytes unpacked".formatted(jar,
                        MOST_UNPACKED_BYTES));
                }
            }
        }
    }

    private void checkSigned(Path jar, Path copy) throws IOException, VfioException {
        Optional<Signers> signers = policy.required();
        try {
            if (signers.isPresent() && !signers.get().signed(copy)) {
                throw new VfioException(Errno.EACCES, "jar=%s expected=every file signed by a certificate of the keystore".formatted(jar));
            }
        } catch (SecurityException e) {
            throw new VfioException(Errno.EACCES, "jar=%s expected=a signature that is right: %s".formatted(jar, e.getMessage()));
        }
    }
}
