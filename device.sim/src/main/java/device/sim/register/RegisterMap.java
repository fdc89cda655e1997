// SPDX-License-Identifier: Apache-2.0
package device.sim.register;

import java.lang.reflect.Array;
import java.util.Arrays;

/// Finds the register at an offset. Immutable.
///
/// @param <R> the enum that lists the registers
public final class RegisterMap<R extends Enum<R> & Register> {
    private static final int PAGE_SHIFT = 12;
    private static final int DWORDS_PER_PAGE = 1 << PAGE_SHIFT - 2;

    private final R reserved;
    private final R[][] pages;
    private final int[] firstSlot;
    private final int slots;

    /// A map of all constants of the enum.
    ///
    /// @param size bytes of the BAR
    /// @param reserved the constant that stands for all offsets without a register; it has none itself
    public RegisterMap(Class<R> type, long size, R reserved) {
        this.reserved = reserved;
        int pageCount = Math.max(1, Math.toIntExact(size >>> PAGE_SHIFT));
        pages = newArray(reserved, pageCount);
        R[] registers = type.getEnumConstants();
        firstSlot = new int[registers.length];
        int next = 0;
        for (R register : registers) {
            firstSlot[register.ordinal()] = next;
            next += register.count();
            for (int i = 0; i < register.count(); i++) {
                place(register, register.base() + i * register.stride());
            }
        }
        slots = next;
    }

    private void place(R register, int offset) {
        int page = offset >>> PAGE_SHIFT;
        if (pages[page].length == 0) {
            pages[page] = newPage(reserved);
        }
        int at = offset >>> 2 & DWORDS_PER_PAGE - 1;
        if ((offset & 3) != 0 || pages[page][at] != reserved) {
            throw new IllegalArgumentException("register=%s offset=0x%x expected=aligned, not taken by %s".formatted(register, offset,
                pages[page][at]));
        }
        pages[page][at] = register;
    }

    /// The register at an offset inside the BAR; `reserved` where there is none.
    public R at(int offset) {
        R[] page = pages[offset >>> PAGE_SHIFT];
        return page.length == 0 ? reserved : page[offset >>> 2 & DWORDS_PER_PAGE - 1];
    }

    /// Which one of an array of registers the offset means.
    public int index(R register, int offset) {
        return (offset - register.base()) / register.stride();
    }

    /// How many registers there are, arrays counted by their length.
    public int slots() {
        return slots;
    }

    /// A number below [#slots()] for each register.
    public int slot(R register, int index) {
        return firstSlot[register.ordinal()] + index;
    }

    @SuppressWarnings("unchecked")
    private static <R> R[][] newArray(R sample, int count) {
        Class<?> type = ((Enum<?>) sample).getDeclaringClass();
        R[][] array = (R[][]) Array.newInstance(type, count, 0);
        return array;
    }

    @SuppressWarnings("unchecked")
    private static <R> R[] newPage(R reserved) {
        R[] page = (R[]) Array.newInstance(((Enum<?>) reserved).getDeclaringClass(), DWORDS_PER_PAGE);
        Arrays.fill(page, reserved);
        return page;
    }
}
