// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.wholeRuntime;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Map;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/** Felix comes up on JDK 25 with every bundle of the distribution. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class FrameworkStartsIT {
    @Inject
    private BundleContext context;
    @Inject
    private CommandProcessor commands;
    @Inject
    private ConfigurationAdmin configurations;
    @Inject
    private ServiceComponentRuntime components;

    @Configuration
    public Option[] runtime() {
        return new Option[] {
            wholeRuntime(),
            configuration("itest.single", Map.of("key", "alone")),
            configuration("itest.factory~one", Map.of("key", "made")),
        };
    }

    @Test
    public void runsFelixOnJdk25() {
        assertThat(Runtime.version().feature()).isEqualTo(25);
        assertThat(context.getBundle(0).getSymbolicName()).isEqualTo("org.apache.felix.framework");
    }

    @Test
    public void everyBundleIsActive() {
        assertThat(context.getBundles()).allSatisfy(bundle ->
            assertThat(bundle.getState()).as(bundle.getSymbolicName()).isEqualTo(Bundle.ACTIVE));
        assertThat(Arrays.stream(context.getBundles()).map(Bundle::getSymbolicName)).contains(
            "vfio.pci.api", "linux.sys", "vfio.pci.core", "mediator.igd", "mediator.i40e", "device.sim",
            "vfio.user.wire", "vfio.user", "vmm", "vfio.migrate", "vfio.pci.shell");
    }

    @Test
    public void everyComponentIsSatisfiable() {
        assertThat(components.getComponentDescriptionDTOs(context.getBundles()))
            .allSatisfy(component -> assertThat(components.getComponentConfigurationDTOs(component))
                .allSatisfy(made -> assertThat(made.failure).as(component.name).isNull()));
        assertThat(configurations).isNotNull();
    }

    @Test
    public void gogoRunsACommand() throws Exception {
        var none = new ByteArrayInputStream(new byte[0]);
        try (CommandSession session = commands.createSession(none, OutputStream.nullOutputStream(), OutputStream.nullOutputStream())) {
            assertThat(session.execute("felix:lb -s")).asString().contains("vfio.pci.core");
        }
    }

    @Test
    public void configurationsAreThereFromTheStart() throws Exception {
        assertThat(configurations.getConfiguration("itest.single", null).getProperties().get("key")).isEqualTo("alone");
        assertThat(configurations.listConfigurations("(key=made)")).singleElement()
            .extracting(org.osgi.service.cm.Configuration::getPid).isEqualTo("itest.factory~one");
    }
}
