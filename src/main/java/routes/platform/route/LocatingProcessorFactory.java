package routes.platform.route;

import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.processor.DefaultProcessorFactory;
import org.apache.camel.reifier.ProcessorReifier;
import org.springframework.stereotype.Component;

/**
 * Builds each step like Camel, and adds file and line to a failure. Camel's own message names only the outermost step,
 * such as a saga or a choice. Camel takes the one bean of this type instead of its default.
 */
@Component
final class LocatingProcessorFactory extends DefaultProcessorFactory {

    @Override
    public Processor createProcessor(Route route, NamedNode node) throws Exception {
        try {
            Processor custom = super.createProcessor(route, node);
            return custom == null && node instanceof ProcessorDefinition<?> step
                    ? ProcessorReifier.reifier(route, step).createProcessor()
                    : custom;
        } catch (RouteFileException e) {
            throw e;
        } catch (Exception e) {
            if (node.getLocation() == null) {
                throw e;
            }
            throw new RouteFileException(node.getLocation(), node.getLineNumber(), e);
        }
    }
}
