package routes.platform.error;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaProducer;
import org.apache.camel.processor.SendProcessor;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Replaces the producer of one {@code kafka:} step, and fails for some records until the test closes it. */
final class FailingSend implements AutoCloseable {

    private final KafkaProducer step;
    private final Producer<?, ?> real;

    FailingSend(CamelContext camel, String stepId, Predicate<ProducerRecord<?, ?>> which, RuntimeException failure)
            throws ReflectiveOperationException {
        Field producer = SendProcessor.class.getDeclaredField("producer");
        producer.setAccessible(true);
        step = (KafkaProducer) producer.get(camel.getProcessor(stepId));
        real = step.getKafkaProducer();
        step.setKafkaProducer((Producer<?, ?>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Producer.class}, (proxy, method, arguments) -> {
                    boolean sends = method.getName().equals("send") && arguments.length == 2;
                    if (sends && which.test((ProducerRecord<?, ?>) arguments[0])) {
                        ((Callback) arguments[1]).onCompletion(null, failure);
                        return CompletableFuture.failedFuture(failure);
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    @Override
    public void close() {
        step.setKafkaProducer(real);
    }
}
