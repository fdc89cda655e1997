// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.repository;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.osgi.framework.Version;
import vfio.pci.provision.jar.HeaderClause;
import vfio.pci.provision.match.MediatorCapability;
import vfio.pci.provision.match.Offer;

/// Reads an index of a repository, the XML of OSGi Compendium 8, 132.5: of each resource the capabilities `osgi.identity`, `osgi.content`
/// and `vfio.mediator`. Requirements and referrals are passed over. There are no document types and no entities.
final class IndexReader {
    private static final System.Logger LOG = System.getLogger(IndexReader.class.getName());
    /// Most mediators that one index lists.
    private static final int MOST_OFFERS = 10_000;
    private static final String IDENTITY = "osgi.identity";
    private static final String CONTENT = "osgi.content";

    private final XMLStreamReader xml;
    private final Path index;
    private final long modified;

    /// A capability: its namespace and attributes as they are written.
    private record Written(String namespace, Map<String, String> attributes) {
    }

    private IndexReader(XMLStreamReader xml, Path index, long modified) {
        this.xml = xml;
        this.index = index;
        this.modified = modified;
    }

    /// The mediators it lists. One that is not as it must be is left out, with a line in the log.
    ///
    /// @param index where it is, for what is relative to it
    /// @param modified when it was changed last
    /// @throws IOException when it is no index
    static List<Offer> read(InputStream in, Path index, long modified) throws IOException {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        try {
            XMLStreamReader xml = factory.createXMLStreamReader(in);
            try {
                return new IndexReader(xml, index, modified).repository();
            } finally {
                xml.close();
            }
        } catch (XMLStreamException e) {
            throw new IOException("index=%s expected=an index of a repository: %s".formatted(index, e.getMessage()), e);
        }
    }

    private List<Offer> repository() throws XMLStreamException, IOException {
        List<Offer> offers = new ArrayList<>();
        boolean begun = false;
        while (xml.hasNext()) {
            if (xml.next() == XMLStreamConstants.START_ELEMENT) {
                if (!begun && !xml.getLocalName().equals("repository")) {
                    throw new IOException("index=%s element=%s expected=repository".formatted(index, xml.getLocalName()));
                }
                begun = true;
                if (xml.getLocalName().equals("resource")) {
                    offer(resource()).ifPresent(offers::add);
                    if (offers.size() > MOST_OFFERS) {
                        throw new IOException("index=%s expected=at most %d mediators".formatted(index, MOST_OFFERS));
                    }
                }
            }
        }
        return offers;
    }

    private List<Written> resource() throws XMLStreamException {
        List<Written> capabilities = new ArrayList<>();
        while (!ends("resource")) {
            if (xml.getEventType() == XMLStreamConstants.START_ELEMENT && xml.getLocalName().equals("capability")) {
                capabilities.add(capability());
            }
        }
        return capabilities;
    }

    private Written capability() throws XMLStreamException {
        var capability = new Written(String.valueOf(xml.getAttributeValue(null, "namespace")), new HashMap<>());
        while (!ends("capability")) {
            if (xml.getEventType() == XMLStreamConstants.START_ELEMENT && xml.getLocalName().equals("attribute")) {
                String name = xml.getAttributeValue(null, "name");
                String value = xml.getAttributeValue(null, "value");
                if (name != null && value != null) {
                    capability.attributes.put(name, value);
                }
            }
        }
        return capability;
    }

    /// Goes on, and says whether that is the end of an element of this name. The end of the document is an exception before.
    private boolean ends(String element) throws XMLStreamException {
        return xml.next() == XMLStreamConstants.END_ELEMENT && xml.getLocalName().equals(element);
    }

    private Optional<Offer> offer(List<Written> resource) {
        List<Written> mediators = resource.stream().filter(each -> each.namespace.equals(MediatorCapability.NAMESPACE)).toList();
        if (mediators.isEmpty()) {
            return Optional.empty();
        }
        String name = attribute(resource, IDENTITY, IDENTITY).orElse("");
        try {
            Version version = Version.parseVersion(attribute(resource, IDENTITY, "version").orElse(""));
            return Optional.of(new Offer(required(name, IDENTITY), version,
                jar(required(attribute(resource, CONTENT, "url").orElse(""), CONTENT + " url")),
                Optional.of(digest(attribute(resource, CONTENT, CONTENT).orElse(""))), modified,
                mediators.stream().map(IndexReader::mediator).toList()));
        } catch (IllegalArgumentException e) {
            LOG.log(System.Logger.Level.WARNING, "resource={0} of index={1} is left out: {2}", name, index, e.getMessage());
            return Optional.empty();
        }
    }

    private static MediatorCapability mediator(Written capability) {
        Map<String, List<String>> attributes = new HashMap<>();
        capability.attributes.forEach((name, value) -> attributes.put(name, HeaderClause.list(value)));
        return MediatorCapability.of(attributes);
    }

    private static Optional<String> attribute(List<Written> resource, String namespace, String name) {
        return resource.stream().filter(each -> each.namespace.equals(namespace)).findFirst()
            .flatMap(each -> Optional.ofNullable(each.attributes.get(name)));
    }

    private static String required(String value, String name) {
        if (value.isBlank()) {
            throw new IllegalArgumentException("%s=none expected=one".formatted(name));
        }
        return value;
    }

    private static String digest(String value) {
        if (!value.matches("\\p{XDigit}{64}")) {
            throw new IllegalArgumentException("%s=%s expected=a SHA-256 digest, which an index must have".formatted(CONTENT, value));
        }
        return value.toLowerCase(Locale.ROOT);
    }

    /// A URL relative to the index, or one of its own; files only.
    private Path jar(String url) {
        return Repository.path(index.toUri().resolve(url).toString());
    }
}
