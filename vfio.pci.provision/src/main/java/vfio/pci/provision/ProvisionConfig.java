// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.AttributeType;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/// Configuration of the provisioning, pid `vfio.pci.provision`.
@ObjectClassDefinition(name = "VFIO PCI provisioning")
@interface ProvisionConfig {
    /// See the description.
    @AttributeDefinition(description = "where mediators are found that a device needs: path or file: URL of an index (.xml, .xml.gz) or of "
        + "a folder of jars; nothing: nowhere")
    String repository() default "";

    /// See the description.
    @AttributeDefinition(description = "folder into which mediators are dropped; nothing: what the framework property vfio.load says, if "
        + "it says something")
    String load() default "";

    /// See the description.
    @AttributeDefinition(description = "file of certificates (PKCS12 or JKS): every file of every jar must be signed by one of them; "
        + "nothing: signatures are not looked at")
    String keystore() default "";

    /// See the description.
    @AttributeDefinition(description = "of that file", type = AttributeType.PASSWORD)
    String keystore_password() default "";

    /// See the description.
    @AttributeDefinition(description = "how long the open of a device waits for its mediator to be loaded, in milliseconds", min = "0")
    long longestMillis() default 3000;

    /// See the description.
    @AttributeDefinition(description = "after how long without a device a mediator that was loaded on demand is uninstalled, in seconds; "
        + "0: never", min = "0")
    int idleSeconds() default 0;
}
