// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import vfio.pci.api.mediation.MediateOps;

class PfDriverTest {
    @TempDir
    private Path storage;

    private final List<String> events = new ArrayList<>();
    private Framework framework;
    private BundleContext context;
    private PfDriver driver;

    @BeforeEach
    void start() throws Exception {
        framework = new FrameworkFactory().newFramework(Map.of(Constants.FRAMEWORK_STORAGE, storage.toString()));
        framework.start();
        context = framework.getBundleContext();
        context.addServiceListener(event -> events.add(event.getType() == ServiceEvent.REGISTERED ? "mediator came" : "mediator goes"),
            "(objectClass=" + MediateOps.class.getName() + ")");
        driver = new PfDriver(context, Map.of());
    }

    @AfterEach
    void stop() throws Exception {
        framework.stop();
        framework.waitForStop(10_000);
    }

    @Test
    void leavesAloneWhatIsNotItsOwn() {
        ScriptedFunction virtual = new ScriptedFunction("3b:02.0", 0x154C);
        ScriptedFunction other = new ScriptedFunction("3c:00.0", 0x10FB);
        driver.functionAppeared(virtual);
        driver.functionAppeared(other);
        driver.functionChanged(virtual);
        driver.functionGone(other);
        assertThat(virtual.calls).isEmpty();
        assertThat(other.calls).isEmpty();
        assertThat(mediator()).isEmpty();
    }

    @Test
    void publishesTheMediatorWhileItDrivesAPhysicalFunction() throws Exception {
        ScriptedFunction first = physical("3b:00.0");
        ScriptedFunction second = physical("3c:00.0");
        driver.functionAppeared(first);
        driver.functionAppeared(second);
        assertThat(first.driver()).contains("i40e");
        assertThat(mediator()).get().extracting(MediateOps::name).isEqualTo("i40e");
        driver.functionGone(first);
        assertThat(mediator()).isPresent();
        driver.functionGone(second);
        assertThat(mediator()).isEmpty();
        assertThat(events).containsExactly("mediator came", "mediator goes");
    }

    @Test
    void withdrawsTheMediatorBeforeItLetsTheLastFunctionGo() {
        ScriptedFunction function = physical("3b:00.0");
        driver.functionAppeared(function);
        function.onDriverChanged(() -> events.add("driver " + function.driver()));
        driver.functionGone(function);
        assertThat(events).containsExactly("mediator came", "mediator goes", "driver Optional.empty");
        assertThat(function.calls).containsExactly("bound i40e", "unbound");
    }

    @Test
    void waitsWhereAnotherDriverIsBound() {
        ScriptedFunction function = physical("3b:00.0");
        function.boundBy(Optional.of("vfio-pci"));
        function.onDriverChanged(() -> driver.functionChanged(function));
        driver.functionAppeared(function);
        assertThat(mediator()).isEmpty();
        assertThat(function.calls).containsExactly("refused i40e");
        driver.functionChanged(function);
        assertThat(function.calls).as("not asked while it is taken").containsExactly("refused i40e");
        function.boundBy(Optional.empty());
        assertThat(function.driver()).contains("i40e");
        assertThat(mediator()).isPresent();
        driver.functionChanged(function);
        assertThat(function.calls).containsExactly("refused i40e", "bound i40e");
    }

    @Test
    void triesAgainWhenTheFunctionBecameFreeWhileItWasRefused() {
        ScriptedFunction function = new ScriptedFunction("3b:00.0", 0x1583) {
            @Override
            void refused() {
                boundBy(Optional.empty());
            }
        };
        function.boundBy(Optional.of("vfio-pci"));
        function.onDriverChanged(() -> driver.functionChanged(function));
        driver.functionAppeared(function);
        assertThat(function.calls).containsExactly("refused i40e", "bound i40e");
        assertThat(mediator()).isPresent();
    }

    @Test
    void letsAFunctionGoThatWentWhileItWasBound() {
        ScriptedFunction function = physical("3b:00.0");
        function.onDriverChanged(() -> {
            if (function.driver().isPresent()) {
                driver.functionGone(function);
            }
        });
        driver.functionAppeared(function);
        assertThat(function.calls).containsExactly("bound i40e", "unbound");
        assertThat(mediator()).isEmpty();
    }

    @Test
    void withdrawsTheMediatorBeforeAllFunctionsWhenItStops() {
        ScriptedFunction first = physical("3b:00.0");
        ScriptedFunction second = physical("3c:00.0");
        driver.functionAppeared(first);
        driver.functionAppeared(second);
        first.onDriverChanged(() -> events.add("first freed"));
        second.onDriverChanged(() -> events.add("second freed"));
        driver.deactivate();
        assertThat(events.subList(0, 2)).containsExactly("mediator came", "mediator goes");
        assertThat(events.subList(2, 4)).containsExactlyInAnyOrder("first freed", "second freed");
        driver.functionGone(first);
        ScriptedFunction late = physical("3d:00.0");
        driver.functionAppeared(late);
        assertThat(late.driver()).as("nothing is kept after the end").isEmpty();
        assertThat(events).hasSize(4);
    }

    private Optional<MediateOps> mediator() {
        ServiceReference<MediateOps> reference = context.getServiceReference(MediateOps.class);
        return Optional.ofNullable(reference).map(context::getService);
    }

    private static ScriptedFunction physical(String address) {
        return ScriptedFunction.physical(address, 4, 16, 1);
    }
}
