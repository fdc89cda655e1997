// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

class MediatorRegistryTest {
    private final MediatorRegistry registry = new MediatorRegistry();

    private Mediator mediator(String name, int ranking, long serviceId) {
        Mediator mediator = new Mediator(new Mediator.Identity(name, "bundle." + name + " 1.0.0", serviceId * 10, ranking, serviceId),
            new MediateOps() {
                @Override
                public String name() {
                    return name;
                }

                @Override
                public Optional<Mediation> open(PciFunction function, MediationContext context) {
                    return Optional.empty();
                }
            });
        registry.add(mediator);
        return mediator;
    }

    private List<String> order() {
        return registry.inOrder().stream().map(mediator -> mediator.identity().name()).toList();
    }

    @Test
    void asksTheOlderFirstWhateverTheOrderOfRegistering() {
        mediator("c", 0, 30);
        mediator("a", 0, 10);
        mediator("b", 0, 20);
        assertThat(order()).containsExactly("a", "b", "c");
    }

    @Test
    void asksTheHigherRankingFirst() {
        mediator("first", 0, 1);
        mediator("low", -5, 2);
        mediator("high", 100, 3);
        mediator("high too", 100, 4);
        mediator("extreme", Integer.MAX_VALUE, 5);
        mediator("last", Integer.MIN_VALUE, 6);
        assertThat(order()).containsExactly("extreme", "high", "high too", "first", "low", "last");
    }

    @Test
    void listsTwoOfOneName() {
        mediator("igd", 0, 1);
        mediator("igd", 0, 2);
        assertThat(order()).containsExactly("igd", "igd");
        assertThat(registry.status()).extracting(MediatorStatus::serviceId).containsExactly(1L, 2L);
        assertThat(registry.status()).extracting(MediatorStatus::bundleId).containsExactly(10L, 20L);
    }

    @Test
    void asksARestartedOneLast() {
        Mediator first = mediator("a", 0, 1);
        mediator("b", 0, 2);
        registry.remove(first);
        first.shut(System.nanoTime());
        registry.depart(first);
        assertThat(order()).containsExactly("b");
        mediator("a", 0, 3);
        assertThat(order()).containsExactly("b", "a");
    }

    @Test
    void givesASnapshot() {
        Mediator first = mediator("a", 0, 1);
        List<Mediator> before = registry.inOrder();
        registry.remove(first);
        assertThat(before).containsExactly(first);
        assertThat(registry.inOrder()).isEmpty();
    }

    @Test
    void listsOneThatHasGoneOnlyWhileAThreadIsStuckInIt() {
        Mediator free = mediator("free", 0, 1);
        registry.remove(free);
        free.shut(System.nanoTime());
        registry.depart(free);
        assertThat(registry.status()).isEmpty();
        assertThat(free.gone()).isTrue();
        assertThat(free.enter(null, null)).isFalse();
    }
}
