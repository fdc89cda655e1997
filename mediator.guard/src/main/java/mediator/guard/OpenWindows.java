// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import vfio.pci.api.mediation.DmaWindow;

/// The DMA windows of an open device, as many as the core lets clients make. Any thread.
final class OpenWindows {
    private final Object lock = new Object();
    /// By address, guarded by the lock.
    private final Map<Long, DmaWindow> all = new TreeMap<>(Long::compareUnsigned);

    void add(DmaWindow window) {
        synchronized (lock) {
            all.put(window.iova(), window);
        }
    }

    void remove(DmaWindow window) {
        synchronized (lock) {
            all.remove(window.iova());
        }
    }

    List<DmaWindow> all() {
        synchronized (lock) {
            return List.copyOf(all.values());
        }
    }
}
