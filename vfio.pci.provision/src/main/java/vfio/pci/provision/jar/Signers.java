// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.CodeSigner;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Collections;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;

/// The certificates of a keystore, by one of which every jar has to be signed, whole. The certificate itself counts, not one that it
/// vouches for: who may sign is listed, and nobody else.
public final class Signers {
    /// What a signature does not cover, because it is the signature (JAR file specification).
    private static final Pattern SIGNATURE = Pattern.compile("META-INF/(MANIFEST\\.MF|[^/]*\\.(SF|RSA|DSA|EC)|SIG-[^/]*)");

    private final Set<Certificate> trusted;

    private Signers(Set<Certificate> trusted) {
        this.trusted = Set.copyOf(trusted);
    }

    /// The certificates in a keystore.
    ///
    /// @throws IOException when it cannot be read
    /// @throws GeneralSecurityException when it is none, or the password is wrong
    public static Signers of(Path keystore, char[] password) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(keystore.toFile(), password);
        Set<Certificate> certificates = new HashSet<>();
        for (String alias : Collections.list(store.aliases())) {
            certificates.add(store.getCertificate(alias));
        }
        certificates.remove(null);
        return new Signers(certificates);
    }

    /// Whether every file in a jar is signed by one of them.
    ///
    /// @throws IOException when it is no jar, or cannot be read
    /// @throws SecurityException when a signature or digest in it is wrong
    boolean signed(Path file) throws IOException {
        try (var jar = new JarFile(file.toFile(), true)) {
            boolean any = false;
            for (JarEntry entry : Collections.list(jar.entries())) {
                if (entry.isDirectory() || SIGNATURE.matcher(entry.getName().toUpperCase(Locale.ROOT)).matches()) {
                    continue;
                }
                // who signed it is known, and its digest checked, when all of it was read
                try (InputStream content = jar.getInputStream(entry)) {
                    content.transferTo(OutputStream.nullOutputStream());
                }
                if (!signedByOne(entry.getCodeSigners())) {
                    return false;
                }
                any = true;
            }
            return any;
        }
    }

    private boolean signedByOne(CodeSigner[] signers) {
        if (signers != null) {
            for (CodeSigner signer : signers) {
                if (trusted.contains(signer.getSignerCertPath().getCertificates().getFirst())) {
                    return true;
                }
            }
        }
        return false;
    }
}
