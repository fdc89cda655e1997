// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.region.AddedRegion;
import vfio.pci.core.region.Region;

class InterestTest {
    @Test
    void refusesARegionNoDeviceCouldHave() {
        for (int region : new int[] {0x1_0000, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> Interest.of(List.of(Claim.whole(region)), List.of())).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void isNoneWhereNothingIsClaimed() {
        assertThat(Interest.NONE.in(0, 0, 4)).isZero();
        assertThat(Interest.of(List.of(Claim.of(1, 0, 4)), List.of()).in(0, 0, 4)).isZero();
        assertThat(Interest.of(List.of(Claim.of(1, 0, 4)), List.of()).in(2, 0, 4)).isZero();
    }

    @Test
    void meetsTheFirstAndTheLastByteOfARange() {
        Interest interest = Interest.of(List.of(Claim.of(0, 0x100, 4)), List.of());
        assertThat(interest.in(0, 0xFC, 4)).isZero();
        assertThat(interest.in(0, 0xFD, 4)).isEqualTo(Interest.CLAIMED);
        assertThat(interest.in(0, 0x103, 1)).isEqualTo(Interest.CLAIMED);
        assertThat(interest.in(0, 0x104, 4)).isZero();
    }

    @Test
    void saysAllThatAnAccessMeets() {
        Interest interest = Interest.of(List.of(Claim.of(0, 0x10, 4)), List.of(Claim.of(0, 0x18, 8)));
        assertThat(interest.in(0, 0x10, 16)).isEqualTo(Interest.CLAIMED | Interest.TRAPPED);
        assertThat(interest.in(0, 0x18, 4)).isEqualTo(Interest.TRAPPED);
        assertThat(interest.in(0, 0x14, 4)).isZero();
    }

    @Test
    void coversAWholeRegionOfAnySize() {
        Interest interest = Interest.of(List.of(Claim.whole(9), Claim.of(9, 0x123, 1)), List.of());
        assertThat(interest.in(9, 0, 1)).isEqualTo(Interest.CLAIMED);
        assertThat(interest.in(9, Long.MAX_VALUE - 8, 8)).isEqualTo(Interest.CLAIMED);
    }

    @Test
    void keepsToTheEdgesAtTheEndOfAllOffsets() {
        Interest interest = Interest.of(List.of(Claim.of(0, Long.MAX_VALUE - 0x10, 0x10)), List.of());
        assertThat(interest.in(0, 0, Integer.MAX_VALUE)).isZero();
        assertThat(interest.in(0, Long.MAX_VALUE - 0x14, 4)).isZero();
        assertThat(interest.in(0, Long.MAX_VALUE - 0x14, 5)).isEqualTo(Interest.CLAIMED);
        assertThat(interest.in(0, Long.MAX_VALUE - 1, 1)).isEqualTo(Interest.CLAIMED);
    }

    @Test
    void knowsRangesThatLieInOneAnother() {
        Interest interest = Interest.of(List.of(Claim.of(0, 0, 0x1000), Claim.of(0, 0x10, 4)), List.of());
        assertThat(interest.in(0, 0x800, 4)).isEqualTo(Interest.CLAIMED);
        assertThat(interest.in(0, 0xFFF, 1)).isEqualTo(Interest.CLAIMED);
    }

    @Test
    void agreesWithALookAtEveryRange() {
        Random random = new Random(42);
        for (int round = 0; round < 2_000; round++) {
            int bits = 4 + random.nextInt(36);
            List<Claim> claimed = some(random, bits);
            List<Claim> trapped = some(random, bits);
            Interest interest = Interest.of(claimed, trapped);
            List<Region> regions = IntStream.range(0, 4).mapToObj(region -> watched(interest, region)).toList();
            for (int access = 0; access < 50; access++) {
                int region = random.nextInt(4);
                long offset = random.nextLong(1L << bits + 1);
                int count = 1 + random.nextInt(1 << random.nextInt(16));
                int expected = (meets(claimed, region, offset, count) ? Interest.CLAIMED : 0)
                    | (meets(trapped, region, offset, count) ? Interest.TRAPPED : 0);
                assertThat(expected == 0 || !regions.get(region).isPlain(offset, count)).isTrue();
                assertThat(interest.in(region, offset, count)).as("round=%d region=%d offset=0x%x count=0x%x of %s and %s", round, region,
                    offset, count, claimed, trapped).isEqualTo(expected);
            }
        }
    }

    private static Region watched(Interest interest, int index) {
        Region region = new AddedRegion(new RegionInfo(index, Long.MAX_VALUE, Set.of(), List.of()), Optional.empty());
        region.watched(interest.granules(index));
        return region;
    }

    @Test
    void hasMostAccessesPassBy() {
        Region region = watched(Interest.of(List.of(Claim.of(0, 0x800, 4), Claim.of(0, 0xFFC, 0x408)), List.of(Claim.of(0, 0xFC00, 1))), 0);
        assertThat(region.isPlain(0, 4)).isTrue();
        assertThat(region.isPlain(0x7FC, 4)).isTrue();
        assertThat(region.isPlain(0x7FD, 4)).isFalse();
        assertThat(region.isPlain(0x800, 4)).isFalse();
        assertThat(region.isPlain(0xBFF, 1)).as("in the same KiB").isFalse();
        assertThat(region.isPlain(0xFFC, 4)).isFalse();
        assertThat(region.isPlain(0x1400, 4)).isFalse();
        assertThat(region.isPlain(0x1800, 0x400)).isTrue();
        assertThat(region.isPlain(0x1800, 0x401)).as("reaches into another KiB").isFalse();
        assertThat(region.isPlain(0xFFFF, 1)).isFalse();
        assertThat(region.isPlain(0x1_0000, 1)).isTrue();
        assertThat(region.isPlain(0x1_0800, 1)).as("its bit stands for another KiB too").isFalse();
    }

    @Test
    void hasNothingPassByThatTheRegionDoesNotHold() {
        Region region = new AddedRegion(new RegionInfo(0, 0x1000, Set.of(), List.of()), Optional.empty());
        assertThat(region.isPlain(0xFFC, 4)).isTrue();
        assertThat(region.isPlain(0xFFC, 5)).isFalse();
        assertThat(region.isPlain(-4, 4)).isFalse();
        assertThat(region.isPlain(0, 0)).isFalse();
        assertThat(region.isPlain(0, -1)).isFalse();
        assertThat(region.isPlain(Long.MAX_VALUE, 4)).isFalse();
        region.limit(0x800);
        assertThat(region.isPlain(0x7FC, 4)).isTrue();
        assertThat(region.isPlain(0x800, 4)).isFalse();
        region.limit(0x2000);
        assertThat(region.isPlain(0xFFC, 4)).isTrue();
        assertThat(region.isPlain(0x1000, 4)).isFalse();
    }

    private static List<Claim> some(Random random, int bits) {
        List<Claim> claims = new ArrayList<>();
        for (int i = random.nextInt(6); i > 0; i--) {
            claims.add(Claim.of(random.nextInt(3), random.nextLong(1L << bits), 1 + random.nextLong(1L << random.nextInt(bits))));
        }
        return claims;
    }

    private static boolean meets(List<Claim> claims, int region, long offset, int count) {
        return claims.stream().anyMatch(claim -> claim.region() == region && claim.range().overlaps(offset, count));
    }
}
