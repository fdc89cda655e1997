// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Keys and certificates, made by the JDK's own tool in a folder of the test.
public final class Certificates {
    private static final String PASSWORD = "not-a-secret";

    private final Path folder;

    /// Makes them there.
    public Certificates(Path folder) {
        this.folder = folder;
    }

    /// Somebody with a key and a certificate for this name, who trusts himself alone so far.
    public void identity(String who, String name) throws Exception {
        keytool("-genkeypair", "-alias", who, "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=" + who, "-ext",
            "san=" + name, "-validity", "2", "-keystore", file(who), "-storetype", "PKCS12", "-storepass", PASSWORD);
        keytool("-exportcert", "-alias", who, "-keystore", file(who), "-storepass", PASSWORD, "-file", certificate(who).toString());
    }

    /// One trusts the other from now on.
    public void trust(String who, String whom) throws Exception {
        keytool("-importcert", "-noprompt", "-alias", whom, "-file", certificate(whom).toString(), "-keystore", trusted(who).toString(),
            "-storetype", "PKCS12", "-storepass", PASSWORD);
    }

    /// What somebody configures.
    public TlsFiles files(String who) {
        return new TlsFiles(Path.of(file(who)), PASSWORD, trusted(who), PASSWORD);
    }

    private String file(String who) {
        return folder.resolve(who + ".p12").toString();
    }

    private Path trusted(String who) {
        return folder.resolve(who + "-trusts.p12");
    }

    private Path certificate(String who) {
        return folder.resolve(who + ".cer");
    }

    private void keytool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(folder, "keytool", ".txt");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", arguments[0], Files.readString(output)).isZero();
    }
}
