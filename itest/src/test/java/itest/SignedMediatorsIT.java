// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.temporaryFolder;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import itest.bundles.MediatorBundle;
import itest.options.Keystore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Dictionary;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.osgi.framework.Bundle;
import org.osgi.service.cm.Configuration;

/** With a keystore configured nothing is installed that is not signed by a certificate in it, in whichever way it would be. */
public class SignedMediatorsIT extends OnProvisioned {
    private static final String EXACT = "vendor=8086;device=154c;class=0200";

    private Path repository;
    private Path load;
    private Keystore trusted;
    private Keystore stranger;

    @Override
    Map<String, Object> properties() {
        Path keys = Path.of(temporaryFolder("keys-"));
        Keystore.generate(keys.resolve("stranger.p12"));
        return Map.of("repository", "file:" + temporaryFolder("repository-"), "load", temporaryFolder("load-"),
            "keystore", Keystore.generate(keys.resolve("trusted.p12")).toString(), "keystore.password", Keystore.PASSWORD);
    }

    @Before
    public void findFolders() throws Exception {
        repository = configured("repository");
        load = configured("load");
        trusted = new Keystore(configured("keystore"));
        stranger = new Keystore(configured("keystore").resolveSibling("stranger.p12"));
    }

    @After
    public void emptyFolders() throws Exception {
        for (Path folder : new Path[] {repository, load}) {
            for (String name : folder.toFile().list()) {
                Files.delete(folder.resolve(name));
            }
        }
        Await.until("what was dropped is gone", () -> bundles(bundle -> bundle.getLocation().startsWith("vfio-load:")).isEmpty());
        for (Bundle bundle : bundles(each -> each.getSymbolicName().startsWith("itest.mediator."))) {
            bundle.uninstall();
        }
    }

    private static MediatorBundle mediator(int answer, String version) {
        return answering("signed", answer, version, EXACT);
    }

    private static Path put(byte[] jar, Path target) throws IOException {
        Path written = Files.write(Files.createTempFile("signed-", ".tmp"), jar);
        return Files.move(written, target, StandardCopyOption.ATOMIC_MOVE);
    }

    private static byte[] bytes(MediatorBundle mediator) throws IOException {
        return mediator.jar().readAllBytes();
    }

    /** Signed, and another class in place of one of those that were. */
    private byte[] tampered() throws Exception {
        return Keystore.replace(trusted.sign(bytes(mediator(0xA1, "1.0.0"))), "itest/mediators/Answering.class");
    }

    @Test
    public void loadsOnDemandWhatIsRightlySigned() throws Exception {
        Map<String, byte[]> wrong = Map.of("unsigned", bytes(mediator(0xA1, "1.0.0")), "stranger", stranger.sign(bytes(mediator(0xA1,
            "1.0.0"))), "tampered", tampered());
        for (Map.Entry<String, byte[]> each : wrong.entrySet()) {
            Path jar = put(each.getValue(), repository.resolve(each.getKey() + ".jar"));
            try (var log = new LoggedLines()) {
                assertThat(statusOnOpen()).as(each.getKey()).isEqualTo(Registers.VFACTIVE);
                assertThat(log.with("is not loaded")).singleElement().asString().contains(each.getKey() + ".jar", "sign");
            }
            Files.delete(jar);
        }
        put(trusted.sign(bytes(mediator(0xA1, "1.0.0"))), repository.resolve("right.jar"));
        assertThat(statusOnOpen()).isEqualTo(0xA1);
    }

    @Test
    public void takesFromTheFolderWhatIsRightlySigned() throws Exception {
        Path jar = put(trusted.sign(bytes(mediator(0xA1, "1.0.0"))), load.resolve("a.jar"));
        Await.until("it mediates", () -> statusOnOpen() == 0xA1);
        for (byte[] wrong : new byte[][] {bytes(mediator(0xA2, "2.0.0")), stranger.sign(bytes(mediator(0xA2, "2.0.0"))), tampered()}) {
            try (var log = new LoggedLines()) {
                put(wrong, jar);
                Await.until("it is refused", () -> !log.with("a.jar is not updated").isEmpty());
                assertThat(log.with("a.jar is not updated")).first().asString().contains("sign");
            }
            assertThat(statusOnOpen()).isEqualTo(0xA1);
        }
        put(trusted.sign(bytes(mediator(0xA3, "3.0.0"))), jar);
        Await.until("its successor mediates", () -> statusOnOpen() == 0xA3);
    }

    @Test
    public void plansWhatIsRightlySignedByTheKeystoreAsItIs() throws Exception {
        Path unsigned = put(bytes(mediator(0xA1, "1.0.0")), repository.resolveSibling("unsigned.jar"));
        Path signed = put(trusted.sign(bytes(mediator(0xA1, "1.0.0"))), repository.resolveSibling("signed.jar"));
        Path keystore = configured("keystore");
        Path elsewhere = keystore.resolveSibling("elsewhere.p12");
        try {
            assertThatThrownBy(() -> type("vfio:plan install " + unsigned)).hasMessageContaining("every file signed");
            type("vfio:plan install " + signed);
            Files.move(keystore, elsewhere);
            assertThatThrownBy(() -> type("vfio:apply")).as("nobody is known to be trusted").hasMessageContaining("trusted.p12");
            Files.move(elsewhere, keystore);
            configure("keystore.password", "wrong");
            Await.until("it counts", () -> said("vfio:plan install " + signed).contains("password"));
            configure("keystore.password", Keystore.PASSWORD);
            Await.until("it counts", () -> said("vfio:plan install " + signed).contains("installed"));
            type("vfio:apply");
            assertThat(statusOnOpen()).isEqualTo(0xA1);
        } finally {
            Files.delete(unsigned);
            Files.delete(signed);
        }
    }

    /** What a command prints, or says that it cannot do. */
    private String said(String line) {
        var printed = new AtomicReference<String>();
        Throwable failure = catchThrowable(() -> printed.set(type(line)));
        return failure == null ? printed.get() : String.valueOf(failure.getMessage());
    }

    private void configure(String name, String value) throws Exception {
        Configuration configuration = configurations.getConfiguration("vfio.pci.provision", "?");
        Dictionary<String, Object> properties = configuration.getProperties();
        properties.put(name, value);
        configuration.update(properties);
    }
}
