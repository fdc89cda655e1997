// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Who is to mediate a device, top first, as people declare it: names of mediators, and at most once [#ANY] for whoever else accepts the
/// device by order. That comes last where it is not named; a list that ends with [#NOBODY_ELSE] ends there.
///
/// @param declared as people wrote it
public record MediatorStack(List<String> declared) {
    /// Whoever accepts.
    public static final String ANY = "*";
    /// Nobody but those before.
    public static final String NOBODY_ELSE = "-";
    /// Most layers of a device.
    public static final int MOST = 8;
    /// One binding, as long as nobody says otherwise.
    public static final MediatorStack SINGLE = new MediatorStack(List.of(ANY));

    /// Copies and checks the list.
    ///
    /// @throws IllegalArgumentException naming what is wrong and what was expected
    public MediatorStack {
        declared = List.copyOf(declared);
        check(!declared.isEmpty(), declared, "one or more names, top first");
        check(new HashSet<>(declared).size() == declared.size(), declared, "each one once");
        check(declared.stream().allMatch(MediatorStack::isName), declared,
            "names of mediators or bundles without blanks and commas, %s or %s".formatted(ANY, NOBODY_ELSE));
        int end = declared.indexOf(NOBODY_ELSE);
        check(end < 0 || end == declared.size() - 1 && end > 0, declared, "%s at the end, after a name".formatted(NOBODY_ELSE));
        check(places(declared).size() <= MOST, declared, "at most %d layers, that of %s among them".formatted(MOST, ANY));
    }

    /// As a configuration says it.
    ///
    /// @return empty where it says nothing
    /// @throws IllegalArgumentException naming what is wrong and what was expected
    public static Optional<MediatorStack> of(List<String> declared) {
        List<String> names = declared.stream().map(String::strip).toList();
        return names.isEmpty() || names.equals(List.of("")) ? Optional.empty() : Optional.of(new MediatorStack(names));
    }

    private static void check(boolean right, List<String> declared, String expected) {
        if (!right) {
            throw new IllegalArgumentException("mediators=%s expected=%s".formatted(String.join(",", declared), expected));
        }
    }

    private static boolean isName(String text) {
        return !text.isEmpty() && text.chars().noneMatch(c -> c <= ' ' || c == ',' || c == 0x7F);
    }

    /// The places of the layers, top first.
    public List<String> places() {
        return places(declared);
    }

    private static List<String> places(List<String> declared) {
        List<String> places = new ArrayList<>(declared);
        if (!places.remove(NOBODY_ELSE) && !places.contains(ANY)) {
            places.add(ANY);
        }
        return places;
    }

    /// Whether a mediator may have a place: by what it is called, or in that for whoever accepts when no other place is meant for it.
    ///
    /// @param place one of [#places()]
    public boolean fits(String place, Mediator mediator) {
        return place.equals(ANY) ? places().stream().noneMatch(mediator::isNamed) : mediator.isNamed(place);
    }

    @Override
    public String toString() {
        return declared.stream().collect(Collectors.joining(" "));
    }
}
