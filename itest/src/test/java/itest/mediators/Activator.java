// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.Dictionary;
import java.util.Hashtable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import vfio.pci.api.mediation.MediateOps;

/** Publishes the mediator that the manifest names, and says on the board when it goes. */
public final class Activator implements BundleActivator {
    public static final String CLASS = "Mediator-Class";
    public static final String NAME = "Mediator-Name";
    public static final String ANSWER = "Mediator-Answer";
    public static final String RANKING = "Mediator-Ranking";

    private Setting setting;
    private ServiceRegistration<MediateOps> registration;

    @Override
    public void start(BundleContext context) throws ReflectiveOperationException {
        Dictionary<String, String> headers = context.getBundle().getHeaders();
        setting = new Setting(headers.get(NAME), Integer.parseInt(headers.get(ANSWER)), Board.published(context));
        var properties = new Hashtable<String, Object>();
        if (headers.get(RANKING) != null) {
            properties.put(Constants.SERVICE_RANKING, Integer.valueOf(headers.get(RANKING)));
        }
        MediateOps mediator = Class.forName(headers.get(CLASS)).asSubclass(MediateOps.class)
            .getConstructor(Setting.class).newInstance(setting);
        setting.number(Setting.GONE).set(0);
        registration = context.registerService(MediateOps.class, mediator, properties);
    }

    @Override
    public void stop(BundleContext context) {
        setting.number(Setting.STOPPING).incrementAndGet();
        registration.unregister();
        setting.number(Setting.GONE).incrementAndGet();
    }
}
