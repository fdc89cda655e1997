// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import itest.options.ConfigurationBundle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;

/**
 * A runtime with a simulated XL710 as a process: {@code RuntimeMain BUNDLES STORAGE [KEY=VALUE]...}, where keys are framework properties.
 * It ends with its input, and with the framework.
 */
final class RuntimeMain {
    private static final List<String> BUNDLES = List.of("org.osgi.util.function", "org.osgi.util.promise", "org.osgi.service.component",
        "org.apache.felix.configadmin", "org.apache.felix.scr", "org.apache.felix.gogo.runtime", "org.apache.felix.gogo.command",
        "vfio.pci.api", "linux.sys", "vfio.pci.core", "mediator.i40e", "device.sim", "minimal-json", "vfio.user.wire", "vfio.user",
        "vmm", "vfio.migrate", "vfio.pci.shell");

    private RuntimeMain() {
    }

    /** Starts it, and stays until it is stopped. */
    public static void main(String[] args) throws Exception {
        Path bundles = Path.of(args[0]);
        Map<String, String> properties = new HashMap<>();
        properties.put(Constants.FRAMEWORK_STORAGE, args[1]);
        properties.put(Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
        properties.put("vfio.until.eof", "true");
        for (String each : List.of(args).subList(2, args.length)) {
            int equals = each.indexOf('=');
            properties.put(each.substring(0, equals), each.substring(equals + 1));
        }
        Framework framework = new org.apache.felix.framework.FrameworkFactory().newFramework(properties);
        framework.init();
        List<Bundle> installed = new ArrayList<>();
        for (String name : BUNDLES) {
            install(framework, bundles.resolve(name + ".jar"), installed);
            if (name.equals("org.apache.felix.configadmin")) {
                install(framework, ConfigurationBundle.write("device.sim.xl710~nic", Map.of()), installed);
                install(framework, ConfigurationBundle.write("mediator.i40e", Map.of("migration", true)), installed);
            }
        }
        framework.start();
        for (Bundle bundle : installed) {
            bundle.start();
        }
        framework.waitForStop(0);
    }

    private static void install(Framework framework, Path jar, List<Bundle> installed) throws Exception {
        installed.add(Objects.requireNonNull(framework.getBundleContext()).installBundle(jar.toUri().toString()));
    }
}
