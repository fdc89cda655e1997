// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.provision.jar.Jar;
import vfio.pci.provision.match.Offer;

class RepositoryTest {
    private static final String DIGEST = "AB".repeat(32);
    private static final String RESOURCE = """
          <resource>
            <requirement namespace="osgi.wiring.package"><directive name="filter" value="(a=b)"/></requirement>
            <capability namespace="osgi.identity">
              <attribute name="osgi.identity" value="%s"/>
              <attribute name="type" value="osgi.bundle"/>
              <attribute name="version" type="Version" value="1.2.3"/>
            </capability>
            <capability namespace="osgi.content">
              <attribute name="osgi.content" value="%s"/>
              <attribute name="url" value="%s"/>
              <attribute name="size" type="Long" value="7"/>
            </capability>
            %s
          </resource>
        """;
    private static final String MEDIATOR = """
        <capability namespace="vfio.mediator"><attribute name="vendor" type="List&lt;String>" value="8086"/>\
        <attribute name="device" type="List&lt;String>" value="154c,1571"/></capability>""";

    @TempDir
    private Path folder;

    private Path index(String... resources) throws IOException {
        return Files.writeString(folder.resolve("index.xml"), """
            <?xml version="1.0" encoding="UTF-8"?>
            <repository increment="1" name="test" xmlns="http://www.osgi.org/xmlns/repository/v1.0.0">
            """ + String.join("", resources) + "</repository>");
    }

    private static String resource(String name, String digest, String url, String capability) {
        return RESOURCE.formatted(name, digest, url, capability);
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://example.org/index.xml", "file://host/index.xml", "https:relative", "file:%"})
    void rejectsOtherPlaces(String place) {
        assertThatThrownBy(() -> Repository.at(place)).isInstanceOf(IllegalArgumentException.class)
            .hasMessage("place=%s expected=a path or a file: URL".formatted(place));
    }

    @Test
    void offersNothingAtNoPlace() throws IOException {
        assertThat(Repository.at(" ").offers()).isEmpty();
        assertThatThrownBy(() -> Repository.at(folder.resolve("missing.xml").toString()).offers()).isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "<repository>", "<other/>", "no xml",
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><repository><resource>&x;</resource></repository>",
        "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><repository name='&b;'/>"})
    void rejectsWhatIsNoIndex(String content) throws IOException {
        Path index = Files.writeString(folder.resolve("index.xml"), content);
        assertThatThrownBy(() -> Repository.at(index.toString()).offers()).isInstanceOf(IOException.class);
    }

    @Test
    void readsMediatorsOfAnIndex() throws IOException {
        Path index = index(resource("a", DIGEST, "jars/a.jar", MEDIATOR), resource("library", DIGEST, "b.jar", ""));
        List<Offer> offers = Repository.at(index.toUri().toString()).offers();
        assertThat(offers).singleElement().satisfies(offer -> {
            assertThat(offer).hasToString("a:1.2.3");
            assertThat(offer.jar()).isEqualTo(folder.resolve("jars/a.jar"));
            assertThat(offer.sha256()).contains("ab".repeat(32));
            assertThat(offer.capabilities()).singleElement().hasToString("vendor=8086 device=154c,1571 class=*");
        });
    }

    @Test
    void leavesOutWhatHasNoDigestOrIsElsewhere() throws IOException {
        Path index = index(resource("a", "", "a.jar", MEDIATOR), resource("b", "12", "b.jar", MEDIATOR),
            resource("", DIGEST, "c.jar", MEDIATOR), resource("d", DIGEST, "http://example.org/d.jar", MEDIATOR),
            resource("e", DIGEST, "e.jar", MEDIATOR.replace("8086", "80")),
            resource("good", DIGEST, "good.jar", MEDIATOR));
        assertThat(Repository.at(index.toString()).offers()).extracting(Offer::symbolicName).containsExactly("good");
    }

    @Test
    void readsCompressedIndexNoFurtherThanItsBound() throws IOException {
        Path good = folder.resolve("good.xml.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(good))) {
            out.write(Files.readAllBytes(index(resource("a", DIGEST, "a.jar", MEDIATOR))));
        }
        assertThat(Repository.at(good.toString()).offers()).hasSize(1);
        Path bomb = folder.resolve("bomb.xml.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(bomb))) {
            out.write("<repository>".getBytes(StandardCharsets.UTF_8));
            byte[] spaces = " ".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < 70; i++) {
                out.write(spaces);
            }
            out.write("</repository>".getBytes(StandardCharsets.UTF_8));
        }
        assertThatThrownBy(() -> Repository.at(bomb.toString()).offers()).isInstanceOf(IOException.class);
    }

    @Test
    void readsOrRefusesGarbage() throws IOException {
        byte[] good = Files.readAllBytes(index(resource("a", DIGEST, "a.jar", MEDIATOR)));
        var random = new Random(6);
        int refused = 0;
        for (int round = 0; round < 500; round++) {
            byte[] bytes = round % 4 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
            for (int change = random.nextInt(4); change >= 0 && bytes.length > 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            Path file = Files.write(folder.resolve("garbage.xml"), bytes);
            try {
                assertThat(Repository.at(file.toString()).offers()).hasSizeLessThan(2);
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("garbage.xml");
                refused++;
            }
        }
        assertThat(refused).isBetween(100, 499);
    }

    @Test
    void refusesAnIndexOfTooMany() throws IOException {
        Path index = index(resource("a", DIGEST, "a.jar", MEDIATOR).repeat(10_001));
        assertThatThrownBy(() -> Repository.at(index.toString()).offers()).isInstanceOf(IOException.class)
            .hasMessageContaining("expected=at most 10000 mediators");
    }

    @Test
    void doesWithoutJarsThatAreNoneOrGone() throws Exception {
        Jar.mediator(folder.resolve("a.jar"), "a", "1.0.0", "vfio.mediator;vendor=8086");
        Files.createDirectory(folder.resolve("folder.jar"));
        Files.createSymbolicLink(folder.resolve("gone.jar"), folder.resolve("nowhere"));
        assertThat(new ProcessBuilder("mkfifo", folder.resolve("pipe.jar").toString()).start().waitFor()).isZero();
        try (var huge = new RandomAccessFile(folder.resolve("huge.jar").toFile(), "rw")) {
            huge.setLength(1L << 36);
        }
        assertThat(Repository.at(folder.toString()).offers()).extracting(Offer::symbolicName).containsExactly("a");
    }

    @Test
    void readsMediatorsOfAFolder() throws IOException {
        Jar.mediator(folder.resolve("a.jar"), "a;singleton:=true", "1.0.0", "vfio.mediator;vendor=8086,other");
        Jar.mediator(folder.resolve("library.jar"), "library", "1.0.0", "other");
        Jar.mediator(folder.resolve("bad.jar"), "bad", "1.0.0", "vfio.mediator;vendor=80");
        Files.writeString(folder.resolve("broken.jar"), "no jar");
        Files.writeString(folder.resolve("text.txt"), "no jar");
        assertThat(Repository.at(folder.toString()).offers()).singleElement().satisfies(offer -> {
            assertThat(offer).hasToString("a:1.0.0");
            assertThat(offer.sha256()).isEmpty();
        });
    }

    @Test
    void seesWhatChanges() throws IOException {
        Repository repository = Repository.at(folder.toString());
        Path jar = Jar.mediator(folder.resolve("a.jar"), "a", "1.0.0", "vfio.mediator");
        assertThat(repository.offers()).extracting(Offer::toString).containsExactly("a:1.0.0");
        Jar.mediator(jar, "a", "1.0.1", "vfio.mediator");
        Files.setLastModifiedTime(jar, FileTime.fromMillis(System.currentTimeMillis() + 2000));
        assertThat(repository.offers()).extracting(Offer::toString).containsExactly("a:1.0.1");
        Files.delete(jar);
        assertThat(repository.offers()).isEmpty();
    }
}
