// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import com.eclipsesource.json.Json;
import com.eclipsesource.json.JsonObject;
import com.eclipsesource.json.JsonValue;
import com.eclipsesource.json.ParseException;
import java.util.OptionalInt;
import java.util.OptionalLong;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The JSON text of VERSION, `{"capabilities":{...}}`. Names unknown here are passed over, as the protocol asks.
public final class VersionJson {
    private static final String CAPABILITIES = "capabilities";
    private static final String MAX_MSG_FDS = "max_msg_fds";
    private static final String MAX_DATA_XFER_SIZE = "max_data_xfer_size";
    private static final String MAX_DMA_MAPS = "max_dma_maps";
    private static final String PGSIZES = "pgsizes";
    private static final String WRITE_MULTIPLE = "write_multiple";
    private static final String TWIN_SOCKET = "twin_socket";
    private static final String SUPPORTED = "supported";
    private static final String FD_INDEX = "fd_index";
    private static final String X_DISABLABLE_AREAS = "x_disablable_areas";

    private VersionJson() {
    }

    /// Reads the text, without its NUL.
    ///
    /// @throws VfioException EINVAL when it is not JSON, or a value has another type or is out of range
    public static VersionCapabilities parse(String text) throws VfioException {
        JsonObject capabilities = object(object(text), CAPABILITIES);
        JsonObject twin = object(capabilities, TWIN_SOCKET);
        return new VersionCapabilities(small(capabilities, MAX_MSG_FDS), number(capabilities, MAX_DATA_XFER_SIZE),
            number(capabilities, MAX_DMA_MAPS), number(capabilities, PGSIZES), flag(capabilities, WRITE_MULTIPLE), flag(twin, SUPPORTED),
            small(twin, FD_INDEX), flag(capabilities, X_DISABLABLE_AREAS));
    }

    /// Writes the text, without a NUL and without blanks; only what was said.
    public static String format(VersionCapabilities said) {
        JsonObject capabilities = new JsonObject();
        said.maxMsgFds().ifPresent(value -> capabilities.add(MAX_MSG_FDS, value));
        said.maxDataXferSize().ifPresent(value -> capabilities.add(MAX_DATA_XFER_SIZE, value));
        said.maxDmaMaps().ifPresent(value -> capabilities.add(MAX_DMA_MAPS, value));
        said.pgsizes().ifPresent(value -> capabilities.add(PGSIZES, value));
        if (said.writeMultiple()) {
            capabilities.add(WRITE_MULTIPLE, true);
        }
        if (said.twinSocket()) {
            JsonObject twin = new JsonObject().add(SUPPORTED, true);
            said.twinSocketFdIndex().ifPresent(value -> twin.add(FD_INDEX, value));
            capabilities.add(TWIN_SOCKET, twin);
        }
        if (said.disablableAreas()) {
            capabilities.add(X_DISABLABLE_AREAS, true);
        }
        return new JsonObject().add(CAPABILITIES, capabilities).toString();
    }

    private static JsonObject object(String text) throws VfioException {
        try {
            JsonValue value = Json.parse(text);
            if (value.isObject()) {
                return value.asObject();
            }
        } catch (ParseException e) {
            throw new VfioException(Errno.EINVAL, "version data: at=%d:%d expected=JSON".formatted(
                e.getLocation().line, e.getLocation().column));
        }
        throw new VfioException(Errno.EINVAL, "version data: expected=a JSON object");
    }

    private static JsonObject object(JsonObject parent, String name) throws VfioException {
        JsonValue value = parent.get(name);
        if (value == null) {
            return new JsonObject();
        }
        if (!value.isObject()) {
            throw unexpected(name, "an object");
        }
        return value.asObject();
    }

    private static boolean flag(JsonObject parent, String name) throws VfioException {
        JsonValue value = parent.get(name);
        if (value != null && !value.isBoolean()) {
            throw unexpected(name, "true or false");
        }
        return value != null && value.asBoolean();
    }

    private static OptionalLong number(JsonObject parent, String name) throws VfioException {
        JsonValue value = parent.get(name);
        if (value == null) {
            return OptionalLong.empty();
        }
        if (!value.isNumber()) {
            throw unexpected(name, "a number");
        }
        try {
            long number = Long.parseLong(value.toString());
            if (number >= 0) {
                return OptionalLong.of(number);
            }
        } catch (NumberFormatException e) {
            throw unexpected(name, "a whole number below 2^63");
        }
        throw unexpected(name, "not negative");
    }

    private static OptionalInt small(JsonObject parent, String name) throws VfioException {
        OptionalLong number = number(parent, name);
        if (number.isEmpty()) {
            return OptionalInt.empty();
        }
        if (number.getAsLong() > Integer.MAX_VALUE) {
            throw unexpected(name, "below 2^31");
        }
        return OptionalInt.of((int) number.getAsLong());
    }

    private static VfioException unexpected(String name, String expected) {
        return new VfioException(Errno.EINVAL, "version data: name=%s expected=%s".formatted(name, expected));
    }
}
