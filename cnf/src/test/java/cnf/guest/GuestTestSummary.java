// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import java.util.Set;
import java.util.TreeSet;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** Says in one line at the end how many tests ran with a guest, and why not all of them. */
public final class GuestTestSummary implements TestExecutionListener {
    private static final String PACKAGE = GuestTestSummary.class.getPackageName() + ".";

    private final Set<String> all = new TreeSet<>();
    private final Set<String> reasons = new TreeSet<>();
    private int run;

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        plan.getRoots().forEach(root -> plan.getDescendants(root).stream()
            .filter(each -> each.isTest() && withGuest(each)).forEach(each -> all.add(each.getUniqueId())));
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        if (withGuest(test)) {
            reasons.add(reason);
        }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (!withGuest(test)) {
            return;
        }
        if (test.isTest()) {
            run++;
        } else {
            result.getThrowable().map(Throwable::getMessage).flatMap(message -> message.lines().findFirst()).ifPresent(reasons::add);
        }
    }

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        if (!all.isEmpty()) {
            System.out.printf("guest tests: %d run, %d skipped%s%n", run, all.size() - run,
                reasons.isEmpty() ? "" : " (" + String.join("; ", reasons) + ")");
        }
    }

    private static boolean withGuest(TestIdentifier test) {
        String where = test.getSource().map(source -> switch (source) {
            case MethodSource method -> method.getClassName();
            case ClassSource type -> type.getClassName();
            default -> "";
        }).orElse("");
        return where.startsWith(PACKAGE);
    }
}
