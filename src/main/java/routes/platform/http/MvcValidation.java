package routes.platform.http;

import org.springframework.context.annotation.Configuration;
import org.springframework.validation.Validator;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Turns Spring's bean validation of requests off, because the runtime checks them against the contract. Spring would
 * look for annotations of the handler at each request.
 */
@Configuration(proxyBeanMethods = false)
class MvcValidation implements WebMvcConfigurer {

    @Override
    public Validator getValidator() {
        return Validator.forType(Void.class, (nothing, errors) -> {});
    }
}
