// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.match;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import vfio.pci.api.PciId;

/// The offer for a device.
///
/// @param offer the one
/// @param why what made it the one, for people
public record Choice(Offer offer, String why) {
    /// The one preferred, whatever it says it fits; else of those that fit the one with the fewest wildcards, of these the one with the
    /// highest version, of these the first by name.
    ///
    /// @param preferred name, or name and version, if somebody prefers one; when it is not offered, it does not count
    public static Optional<Choice> of(List<Offer> offers, PciId id, Optional<String> preferred) {
        Optional<Offer> wanted = preferred.flatMap(name -> named(offers, name));
        if (wanted.isPresent()) {
            return Optional.of(new Choice(wanted.get(), "preferred for " + id.vendorAndDevice()));
        }
        return offers.stream().flatMap(offer -> Fit.of(offer, id).stream()).min(Fit.BEST_FIRST)
            .map(fit -> new Choice(fit.offer, fit.capability + " fits " + id.vendorAndDevice()));
    }

    /// The offer of that name, or name and version; of several the one with the highest version.
    public static Optional<Offer> named(List<Offer> offers, String name) {
        return offers.stream().filter(offer -> offer.symbolicName().equals(name) || offer.toString().equals(name))
            .max(Comparator.comparing(Offer::version));
    }

    /// An offer with the capability by which it fits best.
    private record Fit(Offer offer, MediatorCapability capability, int wildcards) {
        private static final Comparator<Fit> BEST_FIRST = Comparator.comparingInt(Fit::wildcards)
            .thenComparing(fit -> fit.offer.version(), Comparator.reverseOrder())
            .thenComparing(fit -> fit.offer.symbolicName())
            // two files of the same bundle: always the same one
            .thenComparing(fit -> fit.offer.jar());

        static Optional<Fit> of(Offer offer, PciId id) {
            Optional<Fit> best = Optional.empty();
            for (MediatorCapability capability : offer.capabilities()) {
                OptionalInt wildcards = capability.wildcards(id);
                if (wildcards.isPresent() && best.filter(fit -> fit.wildcards <= wildcards.getAsInt()).isEmpty()) {
                    best = Optional.of(new Fit(offer, capability, wildcards.getAsInt()));
                }
            }
            return best;
        }
    }
}
