// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.stream.Stream;

/// Where the regions, or the interrupts, that mediations add to one device have their indices. An index never moves while the device is
/// open: what the same mediator, or the next one, adds again comes to where it was, and has it from when it takes over.
///
/// @param <K> what is added, told apart
final class Places<K extends Places.Kind<K>> {
    private final List<Place<K>> places = new ArrayList<>();

    /// What is added.
    ///
    /// @param <K> itself
    @FunctionalInterface
    interface Kind<K> {
        /// Whether a client that knows what was there before can go on with this.
        boolean follows(K before);
    }

    /// Somebody who adds: owners are compared by identity.
    private static final class Place<K> {
        private final int index;
        private K kind;
        /// Whose it is; null when nobody's.
        private Object owner;
        /// What the one that is tried in place of the owner has here, and who that is; null when nobody is.
        private K next;
        private Object heir;

        Place(int index) {
            this.index = index;
        }

        boolean isVacant() {
            return owner == null && heir == null;
        }

        void take(Object by, K what) {
            owner = by;
            kind = what;
        }
    }

    /// Finds an index for something: that of what it follows, of the predecessor's first, or a new one.
    ///
    /// @param predecessor who has its indices until [#settle], if there is one
    /// @param fresh makes a new index
    synchronized int take(K kind, Object owner, Optional<?> predecessor, IntSupplier fresh) {
        Optional<Place<K>> inherited = predecessor.flatMap(before -> following(kind)
            .filter(place -> place.owner == before && place.heir == null).findFirst());
        if (inherited.isPresent()) {
            inherited.get().next = kind;
            inherited.get().heir = owner;
            return inherited.get().index;
        }
        Place<K> place = following(kind).filter(Place::isVacant).findFirst().orElseGet(() -> {
            Place<K> added = new Place<>(fresh.getAsInt());
            places.add(added);
            return added;
        });
        place.take(owner, kind);
        return place.index;
    }

    private Stream<Place<K>> following(K kind) {
        return places.stream().filter(place -> kind.follows(place.kind));
    }

    /// Whether somebody has this index that it will have.
    synchronized boolean isHeir(int index, Object owner) {
        return places.stream().anyMatch(place -> place.index == index && place.heir == owner);
    }

    /// Somebody has taken over from the predecessor.
    ///
    /// @return the indices that were the predecessor's
    synchronized List<Integer> settle(Object owner) {
        List<Place<K>> inherited = places.stream().filter(place -> place.heir == owner).toList();
        inherited.forEach(place -> {
            place.take(owner, place.next);
            place.next = null;
            place.heir = null;
        });
        return inherited.stream().map(place -> place.index).toList();
    }

    /// Somebody has nothing here any more.
    ///
    /// @return the indices where there is nothing now
    synchronized List<Integer> leave(Object owner) {
        List<Integer> empty = new ArrayList<>();
        for (Place<K> place : places) {
            boolean had = place.owner == owner || place.heir == owner;
            if (place.heir == owner) {
                place.heir = null;
                place.next = null;
            }
            if (place.owner == owner) {
                place.owner = null;
            }
            if (had && place.isVacant()) {
                empty.add(place.index);
            }
        }
        return empty;
    }
}
