// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import vfio.pci.api.mediation.Claim;

class ClaimsTest {
    @Test
    void refusesARegionNoDeviceCouldHave() {
        assertThatThrownBy(() -> Claims.of(List.of(Claim.whole(0x1_0000)))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Claims.of(List.of(Claim.whole(Integer.MAX_VALUE)))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void overlapsNothingWithoutClaims() {
        assertThat(Claims.of(List.of())).isSameAs(Claims.NONE);
        assertThat(Claims.NONE.overlap(0, 0, 1)).isFalse();
        assertThat(Claims.NONE.end(0)).isZero();
    }

    @Test
    void overlapsNothingInOtherRegions() {
        Claims claims = Claims.of(List.of(Claim.whole(2)));
        assertThat(claims.overlap(0, 0, 8)).isFalse();
        assertThat(claims.overlap(1, 0, 8)).isFalse();
        assertThat(claims.overlap(3, 0, 8)).isFalse();
        assertThat(claims.end(1)).isZero();
        assertThat(claims.end(3)).isZero();
    }

    @Test
    void overlapsFromTheFirstToTheLastByte() {
        Claims claims = Claims.of(List.of(Claim.of(0, 0x100, 4)));
        assertThat(claims.overlap(0, 0xFC, 4)).isFalse();
        assertThat(claims.overlap(0, 0xFC, 5)).isTrue();
        assertThat(claims.overlap(0, 0x100, 1)).isTrue();
        assertThat(claims.overlap(0, 0x103, 1)).isTrue();
        assertThat(claims.overlap(0, 0x104, 1)).isFalse();
        assertThat(claims.overlap(0, 0, 0x1000)).as("around it").isTrue();
        assertThat(claims.end(0)).isEqualTo(0x104);
    }

    @Test
    void overlapsAnyOfSeveralRangesAndNotWhatIsBetween() {
        Claims claims = Claims.of(List.of(Claim.of(0, 0x300, 4), Claim.of(0, 0x100, 4), Claim.of(0, 0x200, 4), Claim.of(1, 0, 1)));
        assertThat(claims.overlap(0, 0x104, 0xFC)).isFalse();
        assertThat(claims.overlap(0, 0x204, 4)).isFalse();
        assertThat(claims.overlap(0, 0x104, 0xFD)).isTrue();
        assertThat(claims.overlap(0, 0x300, 4)).isTrue();
        assertThat(claims.overlap(1, 0, 4)).isTrue();
        assertThat(claims.overlap(1, 1, 4)).isFalse();
        assertThat(claims.end(0)).isEqualTo(0x304);
    }

    @Test
    void knowsRangesThatLieInOneAnother() {
        Claims claims = Claims.of(List.of(Claim.of(0, 0, 0x1000), Claim.of(0, 0x10, 4)));
        assertThat(claims.overlap(0, 0x800, 4)).isTrue();
        assertThat(claims.end(0)).isEqualTo(0x1000);
    }

    @Test
    void overlapsAWholeRegionToItsVeryEnd() {
        Claims claims = Claims.of(List.of(Claim.whole(0)));
        assertThat(claims.overlap(0, 0, 1)).isTrue();
        assertThat(claims.overlap(0, Long.MAX_VALUE - 1, 1)).isTrue();
        assertThat(claims.overlap(0, Long.MAX_VALUE - 4, Integer.MAX_VALUE)).as("a sum that would overflow").isTrue();
    }

    @Test
    void doesNotOverflowNearTheEnd() {
        Claims claims = Claims.of(List.of(Claim.of(0, Long.MAX_VALUE - 0x10, 0x10)));
        assertThat(claims.overlap(0, 0, Integer.MAX_VALUE)).isFalse();
        assertThat(claims.overlap(0, Long.MAX_VALUE - 0x14, 4)).isFalse();
        assertThat(claims.overlap(0, Long.MAX_VALUE - 0x14, 5)).isTrue();
        assertThat(claims.overlap(0, Long.MAX_VALUE - 1, 8)).isTrue();
    }
}
