// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.VfioException;

/// Loads bundles on demand and changes them by plan. An OSGi service; may be called by any thread. Methods that change bundles block until
/// that is done.
@ProviderType
public interface ProvisionAdmin {
    /// Says what an action would do, and keeps it for [#apply()]. Nothing changes.
    ///
    /// @param bundle for [PlanAction#INSTALL] the path or `file:` URL of a jar, or a name, with `:VERSION` or without, in the repository;
    ///     else the id or the symbolic name of an installed bundle
    /// @param from for [PlanAction#UPDATE] the path or `file:` URL of the new jar; none: where the bundle came from
    /// @throws VfioException ENOENT when there is no such bundle or jar; EINVAL for a jar that is no bundle, is another bundle, or more
    ///     than one bundle has the name; EACCES for one that is not signed as configured; EEXIST for one that is installed already; EBUSY
    ///     when it is part of what carries it out
    ProvisionPlan plan(PlanAction action, String bundle, Optional<String> from) throws VfioException;

    /// Carries out the last plan, once.
    ///
    /// @return the plan
    /// @throws VfioException ENOENT when nothing is planned; ECANCELED when bundles or devices are no longer as they were planned for; EIO
    ///     when the framework refuses, with its reason
    ProvisionPlan apply() throws VfioException;

    /// What was loaded on demand and is still there, oldest first.
    List<ProvidedMediator> provided();

    /// Prefers a bundle for a kind of device over what would be chosen. Kept by the configuration `vfio.pci.provision.preferences`.
    ///
    /// @param device vendor and device id, as `8086:154c`
    /// @param bundle symbolic name, or that and `:VERSION`; none ends a preference
    /// @throws VfioException EINVAL when one of them is none; EIO when it cannot be kept
    void prefer(String device, Optional<String> bundle) throws VfioException;

    /// Preferences, by vendor and device id.
    Map<String, String> preferences();
}
