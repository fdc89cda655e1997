// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import vfio.pci.api.admin.ServedStatus;

/// How a served device is shown.
final class ServeReport {
    private ServeReport() {
    }

    static Json json(ServedStatus served) {
        return new Json().put("address", served.address()).put("socket", served.socket()).put("client", served.client())
            .put("requests", served.requests()).put("errors", served.errors());
    }
}
