package routes.platform.http;

import java.util.List;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.servlet.config.annotation.ResourceHandlerRegistry;
import org.springframework.web.servlet.config.annotation.ViewControllerRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/** {@code /docs} is Swagger UI, {@code /contract/} and {@code /schemas/} are the files that it, and every client, can read. */
@Configuration(proxyBeanMethods = false)
class ApiDocs implements WebMvcConfigurer {

    @Override
    public void addViewControllers(ViewControllerRegistry registry) {
        for (String path : List.of("/", "/docs", "/docs/")) {
            registry.addRedirectViewController(path, "/docs/index.html");
        }
    }

    @Override
    public void addResourceHandlers(ResourceHandlerRegistry registry) {
        registry.addResourceHandler("/contract/**").addResourceLocations("classpath:/contract/");
        registry.addResourceHandler("/schemas/**").addResourceLocations("classpath:/schemas/");
    }
}
