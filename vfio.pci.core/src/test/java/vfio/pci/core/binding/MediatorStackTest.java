// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

class MediatorStackTest {
    private static Mediator mediator(String name, String bundle, long id) {
        return new Mediator(new Mediator.Identity(name, bundle + " 1.2.0", id, 0, id), new Refusing(name));
    }

    @Test
    void whoeverAcceptsComesLastUnlessItIsSaidOtherwise() {
        assertThat(MediatorStack.SINGLE.places()).containsExactly("*");
        assertThat(new MediatorStack(List.of("guard")).places()).containsExactly("guard", "*");
        assertThat(new MediatorStack(List.of("*", "tracer")).places()).containsExactly("*", "tracer");
        assertThat(new MediatorStack(List.of("guard", "i40e", "-")).places()).containsExactly("guard", "i40e");
    }

    @Test
    void aPlaceIsMeantByNameVersionOrBundle() {
        Mediator guard = mediator("guard-a", "mediator.guard", 7);
        Mediator other = mediator("i40e", "mediator.i40e", 8);
        for (String place : List.of("guard-a", "guard-a:1.2.0", "7", "mediator.guard")) {
            MediatorStack stack = new MediatorStack(List.of(place));
            assertThat(stack.fits(place, guard)).as(place).isTrue();
            assertThat(stack.fits(place, other)).as(place).isFalse();
            assertThat(stack.fits("*", guard)).as("declared elsewhere: %s", place).isFalse();
            assertThat(stack.fits("*", other)).as(place).isTrue();
        }
    }

    @Test
    void nothingIsNoDeclaration() {
        assertThat(MediatorStack.of(List.of())).isEmpty();
        assertThat(MediatorStack.of(List.of(" "))).isEmpty();
        assertThat(MediatorStack.of(List.of(" a ", "*"))).contains(new MediatorStack(List.of("a", "*")));
    }

    private static void assertRefused(List<String> declared, String message) {
        assertThatThrownBy(() -> new MediatorStack(declared)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(message);
    }

    @Test
    void saysWhatIsWrongAndWhatWasExpected() {
        assertRefused(List.of(), "mediators= expected=one or more names");
        assertRefused(List.of("a", "b", "a"), "mediators=a,b,a expected=each one once");
        assertRefused(List.of("a", "*", "*"), "expected=each one once");
        assertRefused(List.of("a", ""), "mediators=a, expected=names of mediators");
        assertRefused(List.of("a b"), "mediators=a b expected=names of mediators");
        assertRefused(List.of("-"), "expected=- at the end, after a name");
        assertRefused(List.of("a", "-", "b"), "expected=- at the end, after a name");
        assertRefused(Collections.nCopies(1, "\n"), "expected=names of mediators");
        List<String> eight = IntStream.range(0, 8).mapToObj(i -> "m" + i).toList();
        assertRefused(eight, "expected=at most 8 layers");
        assertThat(new MediatorStack(eight.subList(0, 7)).places()).hasSize(8);
    }

    /// Only its name matters.
    private record Refusing(String name) implements MediateOps {
        @Override
        public Optional<Mediation> open(PciFunction function, MediationContext context) {
            return Optional.empty();
        }
    }
}
