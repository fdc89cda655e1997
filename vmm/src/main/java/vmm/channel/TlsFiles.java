// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Who one is and whom one trusts, in PKCS #12 files.
///
/// @param identity file with this side's key and certificate
/// @param identityPassword of that file and of the key in it
/// @param trusted file with the certificates that the other side's is to be signed by
/// @param trustedPassword of that file
public record TlsFiles(Path identity, String identityPassword, Path trusted, String trustedPassword) {
    /// What they make.
    ///
    /// @throws VfioException EACCES when a file cannot be read or is something else, naming it
    SSLContext context() throws VfioException {
        try {
            KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            own.init(read(identity, identityPassword), identityPassword.toCharArray());
            TrustManagerFactory others = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            others.init(read(trusted, trustedPassword));
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(own.getKeyManagers(), others.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new VfioException(Errno.EACCES, "identity=%s trusted=%s: %s".formatted(identity, trusted, e.getMessage()));
        }
    }

    private static KeyStore read(Path file, String password) throws VfioException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(file)) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(in, password.toCharArray());
            return store;
        } catch (IOException e) {
            throw new VfioException(Errno.EACCES, "file=%s expected=PKCS #12 and its password: %s".formatted(file, e.getMessage()));
        }
    }

    /// Without the passwords.
    @Override
    public String toString() {
        return "identity=%s trusted=%s".formatted(identity, trusted);
    }
}
