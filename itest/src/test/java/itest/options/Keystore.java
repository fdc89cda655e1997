// SPDX-License-Identifier: Apache-2.0
package itest.options;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import jdk.security.jarsigner.JarSigner;

/**
 * A file with one key and its certificate, by which jars are signed.
 *
 * @param file where it is
 */
public record Keystore(Path file) {
    public static final String PASSWORD = "changeit";

    /** Makes one with the JDK's own tool. */
    public static Path generate(Path file) {
        try {
            Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-alias", "key", "-keyalg", "EC", "-dname", "CN=" + file.getFileName(), "-storetype", "PKCS12", "-keystore",
                file.toString(), "-storepass", PASSWORD).redirectErrorStream(true).start();
            byte[] said = keytool.getInputStream().readAllBytes();
            if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
                throw new IllegalStateException("no keystore: " + new String(said));
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The jar, signed. */
    public byte[] sign(byte[] jar) throws IOException, GeneralSecurityException {
        var password = new KeyStore.PasswordProtection(PASSWORD.toCharArray());
        var key = (KeyStore.PrivateKeyEntry) KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray()).getEntry("key", password);
        Path unsigned = Files.createTempFile("unsigned-", ".jar");
        try {
            Files.write(unsigned, jar);
            var signed = new ByteArrayOutputStream();
            try (var zip = new ZipFile(unsigned.toFile())) {
                new JarSigner.Builder(key).build().sign(zip, signed);
            }
            return signed.toByteArray();
        } finally {
            Files.delete(unsigned);
        }
    }

    /** The jar with a byte of one of its files being another. */
    public static byte[] replace(byte[] jar, String name) throws IOException {
        var changed = new ByteArrayOutputStream();
        try (var in = new ZipInputStream(new ByteArrayInputStream(jar)); var out = new ZipOutputStream(changed)) {
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                byte[] content = in.readAllBytes();
                if (entry.getName().equals(name)) {
                    content[content.length - 1] ^= 1;
                }
                out.putNextEntry(new ZipEntry(entry.getName()));
                out.write(content);
            }
        }
        return changed.toByteArray();
    }
}
