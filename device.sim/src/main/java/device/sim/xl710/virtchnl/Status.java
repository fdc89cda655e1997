// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

/// What became of a message. Names: `enum virtchnl_status_code` without `VIRTCHNL_STATUS_`.
enum Status {
    /// Done.
    SUCCESS(0),
    /// Something in it is wrong.
    ERR_PARAM(-5),
    /// There is no room for it.
    ERR_NO_MEMORY(-18),
    /// Unknown here.
    ERR_NOT_SUPPORTED(-64);

    private final int code;

    Status(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
