// SPDX-License-Identifier: Apache-2.0
package itest.bundles;

import itest.mediators.Board;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.rules.ExternalResource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceRegistration;

/** The mediators of one test: installed by it, and uninstalled after it. */
public final class InstalledMediators extends ExternalResource {
    private final Supplier<BundleContext> context;
    private final List<Bundle> installed = new ArrayList<>();
    private Board board;
    private ServiceRegistration<?> published;

    /** For a test whose context is injected after its rules are made. */
    public InstalledMediators(Supplier<BundleContext> context) {
        this.context = context;
    }

    @Override
    protected void before() {
        board = Board.empty();
        published = board.publish(context.get());
    }

    @Override
    protected void after() {
        try {
            for (Bundle bundle : installed) {
                if (bundle.getState() != Bundle.UNINSTALLED) {
                    bundle.uninstall();
                }
            }
        } catch (BundleException e) {
            throw new IllegalStateException(e);
        } finally {
            installed.clear();
            published.unregister();
        }
    }

    /** Installs it without starting it. */
    public Bundle install(MediatorBundle description) throws BundleException {
        Bundle bundle = context.get().installBundle("itest:" + description.symbolicName(), description.jar());
        installed.add(bundle);
        return bundle;
    }

    /** Installs and starts it. */
    public Bundle start(MediatorBundle description) throws BundleException {
        Bundle bundle = install(description);
        bundle.start();
        return bundle;
    }

    /** Uninstalls it, and forgets the bundle. */
    public void uninstall(Bundle bundle) throws BundleException {
        installed.remove(bundle);
        bundle.uninstall();
    }

    /** What the mediators tell the test. */
    public Board board() {
        return board;
    }

    /** A number a mediator keeps, named in {@link itest.mediators.Setting}. */
    public AtomicLong number(String what, String mediator) {
        return board.number(what, mediator);
    }
}
