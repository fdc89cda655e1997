// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import jdk.security.jarsigner.JarSigner;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

class JarCheckTest {
    private static final String CAPABILITY = "vfio.mediator;vendor:List<String>=\"8086\"";
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    private Path folder;
    private Path copies;
    private Path jar;

    @BeforeEach
    void write() throws IOException {
        copies = folder.resolve("copies");
        jar = Jar.mediator(folder.resolve("a.jar"), "a", "1.2.3", CAPABILITY);
    }

    private JarCheck check(JarCheck.SignaturePolicy policy) {
        return new JarCheck(copies, policy);
    }

    private void assertRefused(Errno errno, JarCheck check, Path file, Optional<String> sha256) throws IOException {
        VfioException refusal = catchThrowableOfType(VfioException.class, () -> check.check(file, sha256));
        assertThat(refusal).isNotNull();
        assertThat(refusal.errno()).as(refusal.getMessage()).isEqualTo(errno);
        assertNothingIsLeft();
    }

    private void assertNothingIsLeft() throws IOException {
        try (Stream<Path> left = Files.list(copies)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void refusesWrongDigest() throws IOException {
        assertRefused(Errno.EACCES, check(JarCheck.SignaturePolicy.NONE), jar, Optional.of("00".repeat(32)));
    }

    @Test
    void refusesWhatIsNoBundle() throws IOException {
        Path plain = Jar.write(folder.resolve("plain.jar"), Map.of());
        Path text = Files.writeString(folder.resolve("text.jar"), "no jar");
        Path bad = Jar.mediator(folder.resolve("bad.jar"), "bad", "1.x", CAPABILITY);
        Path open = Jar.mediator(folder.resolve("open.jar"), "open", "1.0.0", "vfio.mediator;vendor=\"8086");
        JarCheck check = check(JarCheck.SignaturePolicy.NONE);
        assertRefused(Errno.EINVAL, check, plain, Optional.empty());
        assertRefused(Errno.EIO, check, text, Optional.empty());
        assertRefused(Errno.EINVAL, check, bad, Optional.empty());
        assertRefused(Errno.EINVAL, check, open, Optional.empty());
        assertRefused(Errno.ENOENT, check, folder.resolve("missing.jar"), Optional.empty());
    }

    @Test
    void refusesWhatIsTooLarge() throws IOException {
        Path large = folder.resolve("large.jar");
        try (var file = new RandomAccessFile(large.toFile(), "rw")) {
            file.setLength(JarCheck.MOST_BYTES + 1);
        }
        assertRefused(Errno.EINVAL, check(JarCheck.SignaturePolicy.NONE), large, Optional.empty());
        assertThatThrownBy(() -> JarDescription.read(large)).isInstanceOf(IOException.class).hasMessageContaining("expected=at most");
    }

    @Test
    void refusesWhatUnpacksToTooMuch() throws IOException {
        Path bomb = folder.resolve("bomb.jar");
        Jar.write(bomb, Map.of("Bundle-SymbolicName", "bomb"), "zeroes", JarCheck.MOST_UNPACKED_BYTES + 1);
        assertThat(bomb).satisfies(file -> assertThat(Files.size(file)).isLessThan(1 << 20));
        assertRefused(Errno.EINVAL, check(JarCheck.SignaturePolicy.NONE), bomb, Optional.empty());
    }

    @Test
    void refusesManifestThatIsTooLarge() throws IOException {
        Path bomb = folder.resolve("manifest.jar");
        Map<String, String> headers = new TreeMap<>();
        for (int i = 0; i < 20_000; i++) {
            headers.put("Header-" + i, "a".repeat(60));
        }
        Jar.write(bomb, headers);
        assertRefused(Errno.EIO, check(JarCheck.SignaturePolicy.NONE), bomb, Optional.empty());
    }

    @Test
    void refusesWhatIsNoFile() throws Exception {
        Path pipe = folder.resolve("pipe.jar");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        Files.createDirectories(copies);
        assertRefused(Errno.EINVAL, check(JarCheck.SignaturePolicy.NONE), pipe, Optional.empty());
        assertRefused(Errno.EINVAL, check(JarCheck.SignaturePolicy.NONE), folder, Optional.empty());
    }

    /// Any bytes of a good jar may be others, and it may end anywhere.
    @Test
    void takesOrRefusesGarbageAndLeavesNothing() throws Exception {
        JarCheck check = check(JarCheck.SignaturePolicy.NONE);
        byte[] good = Files.readAllBytes(jar);
        var random = new Random(6);
        int refused = 0;
        for (int round = 0; round < 500; round++) {
            byte[] bytes = round % 4 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
            for (int change = random.nextInt(8); change >= 0 && bytes.length > 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            Path file = Files.write(folder.resolve("garbage.jar"), bytes);
            try (CheckedJar taken = check.check(file, Optional.empty())) {
                assertThat(taken.description().symbolicName()).isNotBlank();
            } catch (VfioException e) {
                assertThat(e.errno()).as(e.getMessage()).isIn(Errno.EINVAL, Errno.EIO);
                refused++;
            }
        }
        assertThat(refused).isBetween(100, 499);
        assertNothingIsLeft();
        assertThat(openFiles()).noneMatch(file -> file.startsWith(folder));
    }

    private static List<Path> openFiles() throws IOException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors) {
                if (Files.exists(descriptor, LinkOption.NOFOLLOW_LINKS)) {
                    files.add(Files.readSymbolicLink(descriptor));
                }
            }
        } catch (NoSuchFileException e) {
            // closed while it was looked at: it is not open
            return openFiles();
        }
        return files;
    }

    @Test
    void discardsWhatAnEarlierLifeLeft() throws Exception {
        JarCheck check = check(JarCheck.SignaturePolicy.NONE);
        check.discardLeftovers();
        check.check(jar, Optional.empty());
        check.discardLeftovers();
        assertNothingIsLeft();
    }

    @Test
    void copiesWhatItChecked() throws Exception {
        String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(jar)));
        try (CheckedJar checked = check(JarCheck.SignaturePolicy.NONE).check(jar, Optional.of(digest))) {
            byte[] before = Files.readAllBytes(jar);
            Files.writeString(jar, "changed afterwards");
            assertThat(checked.open().readAllBytes()).isEqualTo(before);
            assertThat(checked.sha256()).isEqualTo(digest);
            assertThat(checked.description()).hasToString("a 1.2.3");
            assertThat(checked.description().isMediator()).isTrue();
        }
        assertNothingIsLeft();
    }

    @Test
    void refusesWhatIsNotSignedByOneOfTheKeystore() throws Exception {
        Path trusted = keystore("trusted");
        Path stranger = keystore("stranger");
        JarCheck check = check(() -> Optional.of(signers(trusted)));
        assertRefused(Errno.EACCES, check, jar, Optional.empty());
        assertRefused(Errno.EACCES, check, signed(jar, stranger), Optional.empty());
        check.check(signed(jar, trusted), Optional.empty()).close();
        assertNothingIsLeft();
    }

    @Test
    void refusesSignedJarThatWasChanged() throws Exception {
        Path trusted = keystore("trusted");
        JarCheck check = check(() -> Optional.of(signers(trusted)));
        Path changed = signed(jar, trusted);
        put(changed, "content.txt", "something else");
        assertRefused(Errno.EACCES, check, changed, Optional.empty());
        Path added = signed(jar, trusted);
        put(added, "added.txt", "not signed");
        assertRefused(Errno.EACCES, check, added, Optional.empty());
        Path inMetaInf = signed(jar, trusted);
        put(inMetaInf, "META-INF/services/a.B", "not signed");
        assertRefused(Errno.EACCES, check, inMetaInf, Optional.empty());
    }

    @Test
    void takesNothingWhenTheKeystoreCannotBeRead() {
        JarCheck check = check(() -> {
            throw new IOException("no keystore");
        });
        assertThatThrownBy(() -> check.check(jar, Optional.empty())).hasMessageContaining("no keystore");
    }

    private static Signers signers(Path keystore) throws IOException {
        try {
            return Signers.of(keystore, PASSWORD);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    /// A key with its certificate, made by the JDK's own tool.
    private Path keystore(String name) throws Exception {
        Path file = folder.resolve(name + ".p12");
        String tool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process keytool = new ProcessBuilder(tool, "-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name,
            "-storetype", "PKCS12", "-keystore", file.toString(), "-storepass", new String(PASSWORD))
            .redirectErrorStream(true).redirectOutput(folder.resolve(name + ".log").toFile()).start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(keytool.exitValue()).as(Files.readString(folder.resolve(name + ".log"))).isZero();
        return file;
    }

    private Path signed(Path unsigned, Path keystore) throws Exception {
        KeyStore store = KeyStore.getInstance(keystore.toFile(), PASSWORD);
        var key = (KeyStore.PrivateKeyEntry) store.getEntry(store.aliases().nextElement(), new KeyStore.PasswordProtection(PASSWORD));
        Path signed = Files.createTempFile(folder, "signed-", ".jar");
        try (var in = new ZipFile(unsigned.toFile()); OutputStream out = Files.newOutputStream(signed)) {
            new JarSigner.Builder(key).build().sign(in, out);
        }
        return signed;
    }

    private static void put(Path file, String entry, String content) throws IOException {
        try (FileSystem zip = FileSystems.newFileSystem(file)) {
            Path path = zip.getPath(entry);
            if (path.getParent() != null) {
                Files.createDirectories(path.getParent());
            }
            Files.write(path, content.getBytes(StandardCharsets.UTF_8));
        }
    }
}
