package sandbox;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.api.model.HistoryCountModeEnum;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binary.svc.NullBinaryStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirPostgresDialect;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.server.handler.SizeLimitHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.hibernate.cfg.AvailableSettings;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.SimpleCommandLinePropertySource;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * The sandbox's FHIR R4 server: HAPI JPA on Jetty, with the defaults of HAPI where this file sets nothing. It is a process with a
 * class path of its own.
 */
@Configuration
@Import({
    JpaR4Config.class,
    HapiJpaConfig.class,
    ThreadPoolFactoryConfig.class,
    // jobs such as $reindex, and the queue of their steps
    JpaBatch2Config.class,
    Batch2JobsConfig.class,
    SubscriptionChannelConfig.class
})
public class HapiServer {

    private static final int THREADS = 40;

    /** A request may hold two connections: a search counts beside its transaction. */
    private static final int CONNECTIONS = 50;

    private static final Duration CONNECTION_TIMEOUT = Duration.ofSeconds(30);
    private static final long MAX_REQUEST_BYTES = 64L << 20;

    public static void main(String[] arguments) throws Exception {
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
        context.getEnvironment().getPropertySources().addFirst(new SimpleCommandLinePropertySource(arguments));
        context.register(HapiServer.class);
        context.registerShutdownHook();
        context.refresh();
        context.getBean(Server.class).start();
    }

    @Bean
    JpaStorageSettings storageSettings(@Value("${address}") String address) {
        JpaStorageSettings settings = new JpaStorageSettings();
        // Synthea's bundles refer to organizations and practitioners by search
        settings.setAllowInlineMatchUrlReferences(true);
        // a reference may repeat the address of the server
        settings.setTreatBaseUrlsAsLocal(Set.of(address));
        // a repeated search shows the writes before it
        settings.setReuseCachedSearchResultsForMillis(null);
        // a cached count cuts pages of the history
        settings.setHistoryCountMode(HistoryCountModeEnum.COUNT_DISABLED);
        return settings;
    }

    @Bean
    PartitionSettings partitionSettings() {
        return new PartitionSettings();
    }

    /** No channel: the server sends nothing to anyone. */
    @Bean
    SubscriptionSettings subscriptionSettings() {
        return new SubscriptionSettings();
    }

    @Bean
    IBinaryStorageSvc binaryStorage() {
        return new NullBinaryStorageSvcImpl();
    }

    @Bean(destroyMethod = "close")
    BasicDataSource dataSource(
            @Value("${database}") String url, @Value("${user}") String user, @Value("${password}") String password) {
        BasicDataSource pool = new BasicDataSource();
        pool.setUrl(url);
        pool.setUsername(user);
        pool.setPassword(password);
        pool.setMaxTotal(CONNECTIONS);
        pool.setMaxIdle(CONNECTIONS);
        pool.setMaxWait(CONNECTION_TIMEOUT);
        // after a restart of PostgreSQL, its old connections are dead
        pool.setTestOnBorrow(true);
        return pool;
    }

    @Bean
    LocalContainerEntityManagerFactoryBean entityManagerFactory(
            DataSource pool, ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings settings) {
        LocalContainerEntityManagerFactoryBean factory =
                HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
        factory.setPersistenceUnitName("HAPI");
        factory.setDataSource(pool);
        factory.getJpaPropertyMap().putAll(Map.of(
                AvailableSettings.DIALECT, HapiFhirPostgresDialect.class.getName(),
                // also completes a schema whose creation was interrupted
                AvailableSettings.HBM2DDL_AUTO, "update",
                AvailableSettings.STATEMENT_BATCH_SIZE, "30",
                AvailableSettings.USE_QUERY_CACHE, "false",
                AvailableSettings.USE_SECOND_LEVEL_CACHE, "false",
                "hibernate.search.enabled", "false"));
        return factory;
    }

    @Bean
    JpaTransactionManager transactionManager(EntityManagerFactory factory) {
        return new JpaTransactionManager(factory);
    }

    @Bean
    RestfulServer fhir(
            IFhirSystemDao<?, ?> systemDao,
            JpaSystemProvider<?, ?> system,
            ResourceProviderFactory resources,
            JpaStorageSettings settings,
            ISearchParamRegistry searchParameters,
            IValidationSupport validation,
            DatabaseBackedPagingProvider paging,
            @Value("${address}") String address) {
        RestfulServer server = new RestfulServer(systemDao.getContext());
        server.registerProviders(resources.createProviders());
        server.registerProvider(system);
        server.setServerConformanceProvider(
                new JpaCapabilityStatementProvider(server, systemDao, settings, searchParameters, validation));
        server.setPagingProvider(paging);
        // also for pages at an offset
        server.setMaximumPageSize(paging.getMaximumPageSize());
        // links have this address whatever the caller's headers say
        server.setServerAddressStrategy(new HardcodedServerAddressStrategy(address));
        return server;
    }

    @Bean(destroyMethod = "stop")
    Server jetty(RestfulServer fhir, @Value("${host}") String host, @Value("${port}") int port) {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        Server jetty = new Server(new QueuedThreadPool(THREADS));
        ServerConnector connector = new ServerConnector(jetty, new HttpConnectionFactory(http));
        connector.setHost(host);
        connector.setPort(port);
        jetty.addConnector(connector);

        ErrorHandler errors = new ErrorHandler();
        errors.setShowStacks(false);
        errors.setShowCauses(false);
        jetty.setErrorHandler(errors);
        ServletContextHandler context = new ServletContextHandler("/");
        context.addServlet(new ServletHolder(fhir), "/fhir/*");
        context.setErrorHandler(errors);
        SizeLimitHandler limit = new SizeLimitHandler(MAX_REQUEST_BYTES, -1);
        limit.setHandler(context);
        jetty.setHandler(limit);
        return jetty;
    }
}
