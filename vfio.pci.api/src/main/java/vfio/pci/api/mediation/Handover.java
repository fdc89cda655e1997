// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// What a mediation keeps by itself, as it passes to the one that follows: where a mediator is exchanged for another, where an open device
/// is bound to another, and where the mediator goes and its devices wait for the next one (policy `freeze`). The device below is not
/// stopped for it. What is in the device, and has to be saved and loaded with it, is [vfio.pci.api.migration.MigrationDriver]'s.
///
/// No client's access is under way meanwhile; interrupts, doorbells that are watched, and what a mediation above does by threads of its
/// own may come. Each call has a part of the drain timeout.
@ConsumerType
public abstract class Handover {
    /// Most bytes of all sections.
    public static final long MOST_BYTES = 1 << 20;

    /// For vendors.
    protected Handover() {
    }

    /// The version of what [#save()] writes.
    public abstract StateVersion version();

    /// What is kept now. The mediation goes on if the other one does not.
    ///
    /// @return in the order in which they are to be loaded
    /// @throws VfioException to refuse
    public abstract List<StateSection> save() throws VfioException;

    /// Takes over what another mediation kept, of this version or of one that it can convert. Comes before the first access.
    ///
    /// @param mediator name of whose it was
    /// @param version of what it wrote
    /// @throws VfioException EINVAL for what it does not know or cannot read, with nothing taken over
    public abstract void load(String mediator, StateVersion version, List<StateSection> sections) throws VfioException;
}
